/**
 * Three processes tell the time, every 1, 2 and 3 seconds.
 *
 *     npx tsx processes.ts
 *
 * `tellTime` lives in this file, and this file has no `if (isMain)`: a child gets the function and
 * what it uses, and does not run the program again. Set MP_EXAMPLE_SCALE to 0.1 for shorter seconds.
 */
import { Process, cpuCount } from '@mp/multiprocessing'
import { setTimeout as sleep } from 'node:timers/promises'

const second = 1000 * Number(process.env.MP_EXAMPLE_SCALE ?? 1)

async function tellTime(interval: number): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await sleep(interval * second)
    console.log(`every ${interval} s: it is ${new Date().toLocaleTimeString('en-GB')}`)
  }
}

const clocks = [1, 2, 3].map(
  (interval) => new Process({ target: tellTime, args: [interval], name: `clock-${interval}` }),
)
for (const clock of clocks) clock.start()

for (const clock of clocks) {
  console.log(`${clock.name}: pid ${clock.pid}, ${clock.isAlive() ? 'alive' : 'over'}`)
}
console.log(`this machine has ${cpuCount()} CPUs for them`)

for (const clock of clocks) await clock.join()
for (const clock of clocks) {
  console.log(
    `${clock.name}: ${clock.isAlive() ? 'alive' : 'over'}, with exit code ${clock.exitCode}`,
  )
}
