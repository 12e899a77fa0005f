/**
 * Goes through the matrix of crashes from the command line.
 *
 * @module
 */
import { getAllStartMethods } from '@mp/process'
import { Random, chooseSeed } from 'mp-internal'
import { parseArgs } from 'node:util'
import { type Cell, tryCell } from './cell.js'
import { MOMENTS, type Moment, THREAD_WAYS } from './deaths.js'

const HELP = `usage: pnpm crashes [--sample N] [--only TEXT] [--seed N]

Workers of pools end in each way, at each moment, in each form of call, for each start method.

  --sample N    only so many, chosen by the seed
  --only TEXT   only those whose names have this, as in 'forkserver' or 'kill, sending'
  --seed N      chooses the same again`

const { values } = parseArgs({
  options: {
    sample: { type: 'string' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: String(chooseSeed()) },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

const nameOf = ({ startMethod, way, moment }: Cell): string => `${startMethod}, ${way}, ${moment}`

function allCells(): Cell[] {
  return getAllStartMethods().flatMap((startMethod) =>
    (Object.keys(MOMENTS) as Moment[]).flatMap((moment) =>
      MOMENTS[moment].ways
        .filter((way) => startMethod !== 'thread' || THREAD_WAYS.includes(way))
        .map((way) => ({ startMethod, way, moment })),
    ),
  )
}

const random = new Random(Number(values.seed))
const chosen = allCells().filter((cell) => nameOf(cell).includes(values.only))
while (chosen.length > Number(values.sample ?? Infinity)) {
  chosen.splice(random.integer(0, chosen.length - 1), 1)
}
console.log(`seed ${values.seed}: ${chosen.length} cells`)
const problems: string[] = []
for (const cell of chosen) {
  const started = performance.now()
  const found = await tryCell(cell)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${found.length === 0 ? 'well' : 'WRONG'} ${nameOf(cell)} (${seconds} s)`)
  problems.push(...found)
}
for (const problem of problems) console.log(`PROBLEM ${problem}`)
console.log(
  problems.length === 0 ? 'every call has settled as it should' : `again: --seed ${values.seed}`,
)
process.exitCode = problems.length === 0 ? 0 : 1
