/**
 * Compares the start method `forkserver` with what else starts processes, in turns: `pnpm bench:forkserver`.
 *
 * A start is measured from the call until its end has been heard of, with everything warm. Ratios are medians of
 * the ratios of each round. Memory is the proportional share (PSS) of children that wait, some of each kind at once.
 *
 * @module
 */
import { Process, type StartMethod } from '@mp/process'
import { Event } from '@mp/sync'
import { fork, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { median } from './programs/spec.js'

const ROUNDS = Number(process.argv[2] ?? 20)
const CHILDREN = 8
const NOTHING = fileURLToPath(new URL('./programs/nothing.js', import.meta.url))
const PYTHON = fileURLToPath(new URL('../python/forkserver.py', import.meta.url))

type Start = () => Promise<number>

const timed =
  (act: () => Promise<unknown>): Start =>
  async () => {
    const begin = performance.now()
    await act()
    return performance.now() - begin
  }

const ours = (startMethod: StartMethod): Start =>
  timed(() => new Process({ target: () => {}, startMethod }).start().join())

/** A Python that starts a process for each line. */
function python(method: string): { start: Start; end: () => void } {
  const child = spawn('python3', [PYTHON, method], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = on(createInterface(child.stdout), 'line')
  const start = async (): Promise<number> => {
    child.stdin.write('start\n')
    return Number(((await lines.next()) as { value: [string] }).value[0])
  }
  return { start, end: () => child.stdin.end() }
}

const pythons = ['forkserver', 'spawn', 'fork'].map((method) => ({ method, ...python(method) }))
const contenders: [string, Start][] = [
  ['forkserver', ours('forkserver')],
  ['spawn', ours('spawn')],
  ['thread', ours('thread')],
  ['child_process.fork', timed(() => once(fork(NOTHING), 'exit'))],
  ['new Worker', timed(() => once(new Worker(NOTHING), 'exit'))],
  ...pythons.map(({ method, start }): [string, Start] => [`Python ${method}`, start]),
]

console.log(
  `Node ${process.versions.node}, ${availableParallelism()} processors, load ${loadavg()[0].toFixed(1)}, ${ROUNDS} rounds\n`,
)
const times = contenders.map((): number[] => [])
for (let round = -1; round < ROUNDS; round++) {
  for (const [i, [, start]] of contenders.entries()) {
    const ms = await start()
    if (round >= 0) times[i].push(ms)
  }
}
for (const { end } of pythons) end()
console.log(
  'start and join'.padEnd(22) +
    'ms, median'.padStart(12) +
    'fastest'.padStart(10) +
    'times ours'.padStart(12),
)
for (const [i, [name]] of contenders.entries()) {
  const ratio = median(times[i].map((ms, round) => ms / times[0][round]))
  const cells = [
    median(times[i]).toFixed(2).padStart(12),
    Math.min(...times[i])
      .toFixed(2)
      .padStart(10),
  ]
  console.log(`${name.padEnd(22)}${cells.join('')}${ratio.toFixed(1).padStart(12)}`)
}

const forked = await shareOf('forkserver')
const spawned = await shareOf('spawn')
console.log(
  `\nPSS of a child, ${CHILDREN} of a kind at once: forkserver ${forked} KiB, spawn ${spawned} KiB`,
)
console.log(`${(spawned / forked).toFixed(1)} forks for one that is spawned`)

/** The median share of memory of children that wait. */
async function shareOf(startMethod: StartMethod): Promise<number> {
  const go = new Event()
  const ready = Array.from({ length: CHILDREN }, () => new Event())
  const target = async (mine: Event, end: Event): Promise<void> => {
    mine.set()
    await end.wait()
  }
  const children = ready.map((mine) =>
    new Process({ target, args: [mine, go], startMethod }).start(),
  )
  for (const mine of ready) await mine.wait()
  const shares = children.map(({ pid }) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1])
  })
  go.set()
  for (const child of children) await child.join()
  return median(shares)
}
