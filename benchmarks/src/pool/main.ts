/**
 * Compares our pool with other pools, side by side: `pnpm bench:pools`.
 *
 * @module
 */
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { compete, whyNoPython } from '../rounds.js'
import { table } from '../table.js'
import { poolContests } from './contests.js'

const HELP = `usage: pnpm bench:pools [--quick] [--rounds N] [--only NAME…] [--ours] [--workers N] [--list] [--help]

Measures our pool beside piscina, tinypool, workerpool, poolifier, Python's Pool and ProcessPoolExecutor. All take turns;
the table has the median of each, the lowest and the highest, and how many times better the first line is.

  --quick      a fifth of the tasks, three rounds
  --rounds N   how often each measures (default 5)
  --workers N  how many workers each has (default: as many as there are processors)
  --only NAME  contests whose name starts so; may be given several times
  --ours       only our own side, to see what a change does
  --list       names the contests`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    workers: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    ours: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 3 : 5))
const workers = Number(values.workers ?? availableParallelism())
const contests = poolContests(values.quick ? 0.2 : 1, workers).filter(
  ({ name }) => values.only.length === 0 || values.only.some((start) => name.startsWith(start)),
)

if (values.help) console.log(HELP)
else if (values.list) for (const { name, title } of contests) console.log(`${name}: ${title}`)
else await measure()

async function measure(): Promise<void> {
  const noPython = whyNoPython()
  console.log(
    `Node ${process.versions.node}, ${availableParallelism()} processors (${cpus()[0]?.model}), load ${loadavg()[0].toFixed(1)}, ${workers} workers, ${rounds} rounds`,
  )
  if (noPython !== undefined) console.log(`Without Python: ${noPython}`)
  for (const contest of contests) {
    const contenders = contest.contenders.filter(
      ({ name, program }) =>
        !(program === 'python-pool' && noPython !== undefined) &&
        !(values.ours && !name.startsWith('ours')),
    )
    console.log(`\n${table(contest, await compete({ ...contest, contenders }, rounds))}`)
  }
}
