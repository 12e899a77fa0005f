/**
 * Compares what starting and joining a process costs with what an empty program does: `node scripts/start-cost.mjs [times]`,
 * on another Node by `node scripts/with-node.mjs 24 node scripts/start-cost.mjs`.
 *
 * Both are run in turns. The processor's time, of the children and of this process, says more than the clock on a machine
 * that does other things; the system counts it in hundredths of a second, so a few runs say little.
 *
 * @module
 */
import { Process } from '@mp/process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const times = Number(process.argv[2] ?? 60)
const WARM_UP = 3

const folder = mkdtempSync(join(tmpdir(), 'mp-start-cost-'))
const empty = join(folder, 'empty.mjs')
writeFileSync(empty, '')
const target = () => {}
const kinds = {
  'node empty.mjs': () => once(spawn(process.execPath, [empty], { stdio: 'inherit' }), 'exit'),
  'start and join': () => new Process({ target, startMethod: 'spawn' }).start().join(),
}

/** In milliseconds, user and system: of this process, and of the children that have ended. */
function cpuTime() {
  const { user, system } = process.cpuUsage()
  const [cutime, cstime] = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .slice(13, 15)
    .map(Number)
  return (user + system) / 1000 + (cutime + cstime) * 10
}

const spent = new Map(Object.keys(kinds).map((kind) => [kind, { cpu: 0, clock: [] }]))
try {
  for (let i = -WARM_UP; i < times; i++) {
    for (const [kind, run] of Object.entries(kinds)) {
      const cpu = cpuTime()
      const clock = performance.now()
      await run()
      if (i < 0) continue
      spent.get(kind).clock.push(performance.now() - clock)
      spent.get(kind).cpu += cpuTime() - cpu
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]
const [bare, ours] = [...spent.values()].map(({ cpu, clock }) => [cpu / times, median(clock)])
for (const [i, kind] of Object.keys(kinds).entries()) {
  const [cpu, clock] = [bare, ours][i]
  console.log(`${kind}: ${cpu.toFixed(1)} ms of processor, ${clock.toFixed(1)} ms by the clock`)
}
console.log(`ratios: ${(ours[0] / bare[0]).toFixed(2)}, ${(ours[1] / bare[1]).toFixed(2)}`)
