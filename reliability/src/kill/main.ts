/**
 * Kills at every atomic of every case, from the command line.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { Bench } from './bench.js'
import { groups } from './cases.js'

const HELP = `usage: pnpm kills [--only TEXT] [--k K] [--all] [--ahead N]

Kills a process before every atomic of every operation, and looks whether the others go on.

  --only TEXT   only the cases whose names contain it
  --k K         only this atomic
  --all         before loads, too: the same states, many times over
  --ahead N     how many victims are started ahead (default 2)`

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    k: { type: 'string' },
    all: { type: 'boolean', default: false },
    ahead: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

const started = performance.now()
const bench = await Bench.start({
  counted: values.all ? 'all' : 'changes',
  ahead: Number(values.ahead),
})
let kills = 0
const failures: string[] = []
for (const one of Object.values(groups).flat()) {
  if (!one.name.includes(values.only)) continue
  const begun = performance.now()
  try {
    if (values.k !== undefined) {
      console.log(one.name, await bench.kill(one, Number(values.k)))
      kills++
      continue
    }
    const result = await bench.run(one)
    kills += result.kills
    console.log(
      `${one.name}: ${result.atomics} atomics, ${result.kills} kills in ` +
        `${Math.round(performance.now() - begun)} ms, slowest ${result.slowestMs.toFixed(1)} ms`,
    )
  } catch (error) {
    failures.push((error as Error).message)
    console.log(`FAILED ${(error as Error).stack}`)
  }
}
await bench.end()
console.log(`${kills} kills in ${Math.round((performance.now() - started) / 1000)} s`)
for (const failure of failures) console.log(`FAILED ${failure}`)
process.exitCode = failures.length > 0 ? 1 : 0
