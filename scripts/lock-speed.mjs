/**
 * Times acquire and release of a free lock, ours and Python's, in turns: `node scripts/lock-speed.mjs [ROUNDS]`.
 *
 * Prints nanoseconds of CPU for a pair of calls, medians of all rounds, and how many times faster ours is.
 */
import { spawnSync } from 'node:child_process'

const rounds = Number(process.argv[2] ?? 15)
const PAIRS = 1_000_000

const OURS = `
import { Lock } from '@mp/sync'
const lock = new Lock()
const times = (n) => { for (let i = 0; i < n; i++) { lock.acquireSync(); lock.release() } }
times(${PAIRS} / 5)
const before = process.cpuUsage()
times(${PAIRS})
const { user, system } = process.cpuUsage(before)
console.log(((user + system) * 1000) / ${PAIRS})
`

const PYTHONS = `
import multiprocessing, time
lock = multiprocessing.Lock()
def times(n):
    acquire, release = lock.acquire, lock.release
    for _ in range(n):
        acquire(); release()
times(${PAIRS} // 5)
before = time.process_time()
times(${PAIRS})
print((time.process_time() - before) * 1e9 / ${PAIRS})
`

const commands = {
  ours: [process.execPath, ['--input-type=module', '-e', OURS]],
  python: ['python3', ['-c', PYTHONS]],
}

const figures = { ours: [], python: [] }
for (let round = 0; round < rounds; round++) {
  for (const [name, [command, args]] of Object.entries(commands)) {
    const { status, stdout, error } = spawnSync(command, args, { encoding: 'utf8' })
    if (error?.code === 'ENOENT') delete commands[name]
    else if (status === 0) figures[name].push(Number(stdout))
    else throw error ?? new Error(`${name} ended with ${status}`)
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
for (const [name, values] of Object.entries(figures)) {
  if (values.length === 0) console.log(`${name.padEnd(8)} is not here`)
  else {
    const [low, high] = [Math.min(...values), Math.max(...values)]
    console.log(
      `${name.padEnd(8)} ${median(values).toFixed(1)} ns (${low.toFixed(1)} to ${high.toFixed(1)})`,
    )
  }
}
if (figures.python.length > 0) {
  console.log(`ours is ${(median(figures.python) / median(figures.ours)).toFixed(2)} times as fast`)
}
