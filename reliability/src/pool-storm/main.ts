/**
 * Runs a storm over a pool from the command line.
 *
 * @module
 */
import type { StartMethod } from '@mp/process'
import { Random, chooseSeed } from 'mp-internal'
import { parseArgs } from 'node:util'
import { PoolStorm } from './storm.js'

const HELP = `usage: pnpm storm:pool [--tasks N] [--every MS] [--processes N] [--method M] [--seed N]

A pool runs tasks given in every form of call, some of which are aborted, while its workers are killed.

  --tasks N       how many (default 1000000)
  --every MS      how often one is killed (default 20)
  --processes N   how many workers (default 4)
  --method M      spawn or forkserver (default forkserver, whose workers are back at once)
  --seed N        makes the same choices again, though not in the same moments`

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '1000000' },
    every: { type: 'string', default: '20' },
    processes: { type: 'string', default: '4' },
    method: { type: 'string', default: 'forkserver' },
    seed: { type: 'string', default: String(chooseSeed()) },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(HELP)
  process.exit(0)
}

const { tasks, every, processes, method, seed } = values
console.log(
  `seed ${seed}: ${tasks} tasks, ${processes} workers by ${method}, a kill each ${every} ms`,
)
const report = await new PoolStorm({
  tasks: Number(tasks),
  everyMs: Number(every),
  processes: Number(processes),
  startMethod: method as StartMethod,
  random: new Random(Number(seed)),
  onProgress: (line) => console.log(line),
}).run()
const { ledger, seconds, kills, spared } = report
const { fulfilled, lost, losses, aborted, problems } = ledger
console.log(
  `${seconds.toFixed(1)} s: ${fulfilled} fulfilled, ${aborted} aborted, ${lost} lost by ${losses.size} of ${kills} kills, ${spared} times nobody was killed because nothing was done`,
)
for (const problem of problems) console.log(`PROBLEM ${problem}`)
console.log(problems.length === 0 ? 'each has settled once, all is well' : `again: --seed ${seed}`)
process.exitCode = problems.length === 0 ? 0 : 1
