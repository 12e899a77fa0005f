/**
 * Kills process trees from the command line, and says what is left.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { Random, chooseSeed } from 'mp-internal'
import { Ground, type TreeReport, VICTIMS, semaphores, sharedBytes } from './leftovers.js'

const HELP = `usage: pnpm leftovers [--times N] [--seed N]

Starts process trees that use everything, kills them at random moments, and looks what is left.

  --times N   how many (default 60)
  --seed N    makes the same choices again`

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(chooseSeed()) },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

/** Other programs use shared memory, too. One tree has more than 4 MiB. */
const TOLERANCE_BYTES = 64 * 1024 * 1024

const times = Number(values.times)
const random = new Random(Number(values.seed))
console.log(`seed ${values.seed}: ${times} trees`)
const started = performance.now()
const ground = new Ground()
const before = { bytes: sharedBytes(), semaphores: semaphores() }
const reports: TreeReport[] = []
for (let n = 1; n <= times; n++) {
  const report = await ground.killTree(random)
  reports.push(report)
  for (const problem of report.problems)
    console.log(`PROBLEM tree ${n} (${report.victims}): ${problem}`)
  if (n % 20 === 0) console.log(progress(n))
}
const problems = reports.flatMap((report) => report.problems)
problems.push(...ground.end())
const bytes = sharedBytes() - before.bytes
if (bytes > TOLERANCE_BYTES) problems.push(`${bytes} bytes more of shared memory are in use`)
if (semaphores() !== before.semaphores) problems.push('there are other semaphores than before')
console.log(progress(times))
console.log(
  `shared memory in use on the machine: ${(bytes / 1024).toFixed(0)} KiB more than before`,
)
for (const problem of problems) console.log(`PROBLEM ${problem}`)
console.log(problems.length === 0 ? 'nothing is left behind' : `again: --seed ${values.seed}`)
process.exitCode = problems.length === 0 ? 0 : 1

function progress(n: number): string {
  const seconds = Math.round((performance.now() - started) / 1_000)
  const by = VICTIMS.map(
    (victims) => `${victims} ${reports.filter((one) => one.victims === victims).length}`,
  )
  const processes = reports.reduce((sum, one) => sum + one.processes, 0)
  const slowest = Math.max(...reports.map(({ goneMs }) => goneMs))
  const swept = reports.filter((one) => one.swept).length
  return (
    `${n} trees in ${seconds} s (${by.join(', ')}), ${processes} processes; all gone after ` +
    `${slowest.toFixed(0)} ms at most; ${swept} named blocks were left for the next start, and swept`
  )
}
