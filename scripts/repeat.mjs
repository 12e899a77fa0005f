/**
 * Runs a command again and again, and stops at the first failure or hang.
 *
 *     node scripts/repeat.mjs 200 vitest run packages/sync packages/queue packages/pipe
 *
 * Prints the output of the run that failed. `REPEAT_DEADLINE_S` (default 300) is how long one run may take.
 */
import { spawnSync } from 'node:child_process'

const [times, command, ...args] = process.argv.slice(2)
const deadlineMs = Number(process.env.REPEAT_DEADLINE_S ?? 300) * 1000
if (!(Number(times) > 0) || command === undefined || !(deadlineMs > 0)) {
  console.error('usage: node scripts/repeat.mjs TIMES COMMAND [ARGUMENT…]')
  process.exit(2)
}
const started = Date.now()
for (let run = 1; run <= Number(times); run++) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status !== 0) {
    console.error(`${stdout}\n${stderr}`)
    console.error(
      `run ${run} of ${times} failed: ${error?.message ?? signal ?? `exit code ${status}`}`,
    )
    process.exit(1)
  }
  if (run % 10 === 0 || run === Number(times)) {
    console.log(`${run} of ${times} runs passed, ${Math.round((Date.now() - started) / 1000)} s`)
  }
}
