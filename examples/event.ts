/**
 * Two processes wait for an `Event`, one for as long as it takes, one for 2 s; it is set after 5 s.
 *
 *     npx tsx event.ts
 */
import { Event, Process } from '@mp/multiprocessing'
import { setTimeout as sleep } from 'node:timers/promises'

const second = 1000 * Number(process.env.MP_EXAMPLE_SCALE ?? 1)

async function waitForEver(event: Event): Promise<void> {
  console.log('patient: waits')
  await event.wait()
  console.log(`patient: the event is set: ${event.isSet()}`)
}

async function waitTwoSeconds(event: Event): Promise<void> {
  console.log('hurried: waits for 2 s')
  const isSet = await event.wait({ timeout: 2 * second }) // false when the time is up
  console.log(`hurried: the event is set: ${isSet}`)
}

const event = new Event()
const waiting = [waitForEver, waitTwoSeconds].map(
  (target) => new Process({ target, args: [event] }),
)
for (const child of waiting) child.start()

await sleep(5 * second)
console.log('main: sets the event')
event.set()
for (const child of waiting) await child.join()
