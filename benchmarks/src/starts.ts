/**
 * How long a process takes from its start to its end, ours beside others, in turns: median and lower quartile in
 * milliseconds, the ratio to `node empty.mjs`, so many at once, and memory (PSS) of one that waits.
 *
 * `node benchmarks/dist/starts.js [rounds] [at once]`
 *
 * @module
 */
import { Process } from '@mp/process'
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

const [rounds = 20, atOnce = 100] = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'mp-starts-'))
const empty = join(folder, 'empty.mjs')
const idle = join(folder, 'idle.mjs')
writeFileSync(empty, '')
writeFileSync(idle, 'setInterval(() => {}, 1000)')

const contenders: Record<string, () => Promise<unknown>> = {
  'node empty.mjs': () => ended(spawn(process.execPath, [empty], { stdio: 'inherit' })),
  'child_process.fork': () => ended(fork(empty)),
  'new Worker': () => once(new Worker(empty), 'exit'),
  'ours, spawn': () => new Process({ target: () => {}, startMethod: 'spawn' }).start().join(),
  'ours, thread': () => new Process({ target: () => {}, startMethod: 'thread' }).start().join(),
}

async function ended(child: ChildProcess): Promise<void> {
  await once(child, 'exit')
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
}

function quartiles(times: number[]): { low: number; median: number } {
  const sorted = times.toSorted((a, b) => a - b)
  return { low: sorted[sorted.length >> 2] ?? NaN, median: sorted[sorted.length >> 1] ?? NaN }
}

function print(name: string, times: number[], many: number, bare: number): void {
  const { low, median } = quartiles(times)
  const ratio = (low / bare).toFixed(2)
  console.log(
    `${name.padEnd(20)} quartile ${low.toFixed(1)} median ${median.toFixed(1)} ratio ${ratio} ` +
      `${atOnce} at once ${many.toFixed(0)}`,
  )
}

/** Kilobytes of memory that are this process's share. */
function pssOf(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1])
}

async function measureMemory(): Promise<void> {
  const child = new Process({
    target: () => void setInterval(() => {}, 1000),
    startMethod: 'spawn',
  }).start()
  const bare = spawn(process.execPath, [idle])
  await new Promise((resolve) => setTimeout(resolve, 1000))
  console.log(`PSS in kB: node ${pssOf(bare.pid as number)}, ours ${pssOf(child.pid as number)}`)
  child.kill()
  bare.kill()
  await child.join()
}

const times = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]))
for (const run of Object.values(contenders)) await run()
for (let round = 0; round < rounds; round++) {
  for (const [name, run] of Object.entries(contenders)) times.get(name)?.push(await timed(run))
}
const bare = quartiles(times.get('node empty.mjs') ?? []).low
for (const [name, run] of Object.entries(contenders)) {
  const many = await timed(() => Promise.all(Array.from({ length: atOnce }, run)))
  print(name, times.get(name) ?? [], many, bare)
}
await measureMemory()
rmSync(folder, { recursive: true })

const script = fileURLToPath(new URL('../python/starts.py', import.meta.url))
const text = execFileSync('python3', [script, String(rounds), String(atOnce)], { encoding: 'utf8' })
const python = JSON.parse(text) as Record<string, { start: number[]; hundred: number }>
for (const [method, { start, hundred }] of Object.entries(python)) {
  print(`Python, ${method}`, start, hundred, bare)
}
