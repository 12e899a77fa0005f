/**
 * Compares our queues and pipes with what else there is, side by side: `pnpm bench:messages`.
 *
 * @module
 */
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { allContests } from './contests.js'
import { compete, whyNoPython } from './rounds.js'
import { table } from './table.js'

const HELP = `usage: pnpm bench:messages [--quick] [--rounds N] [--only NAME…] [--ours] [--list] [--help]

Measures queues and pipes beside Python's multiprocessing, child_process and MessagePort. All take turns; the table
has the median of each, the lowest and the highest, and how many times better the first line is: the median of the
ratios of each round.

  --quick      a quarter of the messages, three rounds
  --rounds N   how often each measures (default 5)
  --only NAME  contests whose name starts so; may be given several times
  --ours       only our own side, to see what a change does
  --list       names the contests`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    ours: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 3 : 5))
const wanted = [...values.only, ...positionals]
const contests = allContests(values.quick ? 0.25 : 1).filter(
  ({ name }) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)),
)

if (values.help) console.log(HELP)
else if (values.list) for (const { name, title } of contests) console.log(`${name}: ${title}`)
else if (contests.length === 0 || !Number.isInteger(rounds) || rounds < 1) fail()
else await measure()

async function measure(): Promise<void> {
  const noPython = whyNoPython()
  console.log(
    `Node ${process.versions.node}, ${availableParallelism()} processors (${cpus()[0]?.model}), load ${loadavg()[0].toFixed(1)}, ${rounds} rounds`,
  )
  if (noPython !== undefined) console.log(`Without Python: ${noPython}`)
  for (const contest of contests) {
    const contenders = contest.contenders.filter(
      ({ program }) =>
        !(program === 'python' && noPython !== undefined) &&
        !(values.ours && !['ours', 'sleeper', 'idle'].includes(program)),
    )
    console.log(`\n${table(contest, await compete({ ...contest, contenders }, rounds))}`)
  }
}

function fail(): void {
  console.error(`There is nothing of that name, or to do.\n\n${HELP}`)
  process.exitCode = 2
}
