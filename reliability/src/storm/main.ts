/**
 * Runs a storm from the command line.
 *
 * @module
 */
import { Process } from '@mp/process'
import { Watch, chooseSeed, describe } from 'mp-internal'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Storm, type StormReport } from './storm.js'

const HELP = `usage: pnpm storm [--seconds N] [--seed N] [--processes N] [--threads N] [--pin] [--load]

Processes and threads work on the same objects while they are killed, stopped, terminated at random.

  --seconds N     how long (default 60)
  --seed N        makes the same choices again, though not in the same moments
  --processes N   how many (default 8)
  --threads N     how many (default 4)
  --pin           all on one CPU
  --load          beside processes that keep every CPU busy`

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(chooseSeed()) },
    processes: { type: 'string', default: '8' },
    threads: { type: 'string', default: '4' },
    pin: { type: 'boolean', default: false },
    load: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(HELP)
} else if (values.pin && process.env['MP_STORM_PINNED'] === undefined) {
  const command = ['-c', '0', process.execPath, ...process.argv.slice(1)]
  const env = { ...process.env, MP_STORM_PINNED: '1' }
  process.exitCode = spawnSync('taskset', command, { stdio: 'inherit', env }).status ?? 1
} else {
  process.exitCode = await run()
}

async function run(): Promise<number> {
  // Whatever it starts and makes is found by these.
  const mark = { name: 'MP_STORM', value: randomUUID() }
  // In memory if it can be: an agent that waits for a disk to take its records looks as if it hung.
  const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const folder = mkdtempSync(join(place, 'mp-storm-run-'))
  Object.assign(process.env, {
    [mark.name]: mark.value,
    TMPDIR: folder,
    MP_SHARED_MEMORY_DIR: folder,
  })
  // The first of each leaves the process with descriptors for good.
  for (const startMethod of ['spawn', 'thread'] as const) {
    const stdio = ['ignore', 'ignore', 'pipe'] as const
    await new Process({ startMethod, stdio: [...stdio] }).start().join()
  }
  const watch = new Watch({ mark, folders: [folder] })
  const before = watch.take()
  const load = values.load ? startLoad() : []
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
  const shape = `${values.processes} processes, ${values.threads} threads`
  console.log(
    `seed ${seed}: ${shape}, ${seconds} s${values.pin ? ', pinned' : ''}${values.load ? ', under load' : ''}`,
  )
  const report = await new Storm({
    seconds,
    seed,
    processes: Number(values.processes),
    threads: Number(values.threads),
    onProgress: (line) => console.log(line),
  }).run()
  for (const child of load) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const left = await watch.leftSince(before, 5_000)
  const problems = [
    ...report.problems,
    ...(left === null ? [] : [`left behind: ${describe(left)}`]),
  ]
  rmSync(folder, { recursive: true })
  tell(report)
  for (const problem of problems) console.log(`PROBLEM ${problem}`)
  console.log(problems.length === 0 ? 'the storm is over, all is well' : `again: --seed ${seed}`)
  return problems.length === 0 ? 0 : 1
}

function tell(report: StormReport): void {
  const { ends, deathMs } = report
  const total = Object.values(ends).reduce((sum, count) => sum + count, 0)
  console.log(
    `${report.seconds.toFixed(1)} s, ${report.operations} steps, ${total} strikes: ${JSON.stringify(ends)}`,
  )
  console.log(
    `${report.messages} messages, ${report.lost} lost with who took them (at most ${report.mayBeLost} could be)`,
  )
  console.log(
    `longest wait beyond its limit ${Math.round(report.longestMs)} ms, machine lag ${Math.round(report.lagMs)} ms in all`,
  )
  console.log(
    `from a SIGKILL to the end of file ${deathMs.median.toFixed(1)} ms median, ${Math.round(deathMs.most)} ms at most`,
  )
}

/** Keeps every CPU busy, as long as this process lives. */
function startLoad(): ChildProcess[] {
  const busy = 'const parent = process.ppid; while (process.ppid === parent);'
  return Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', busy], { stdio: 'ignore' }),
  )
}
