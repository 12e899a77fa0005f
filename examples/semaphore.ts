/**
 * Five processes share a `Semaphore(2)`: never more than two are inside.
 *
 *     npx tsx semaphore.ts
 */
import { Process, Semaphore, currentProcess } from '@mp/multiprocessing'
import { setTimeout as sleep } from 'node:timers/promises'

const second = 1000 * Number(process.env.MP_EXAMPLE_SCALE ?? 1)

async function visit(semaphore: Semaphore, stay: number): Promise<void> {
  const { name } = currentProcess()
  using _permit = await semaphore.acquire()
  console.log(`${name} enters`)
  await sleep(stay * second)
  console.log(`${name} leaves`)
}

const semaphore = new Semaphore(2)
const visitors = [1, 2, 3, 4, 5].map(
  (n) => new Process({ target: visit, args: [semaphore, n / 2], name: `visitor-${n}` }),
)
for (const visitor of visitors) visitor.start()
for (const visitor of visitors) await visitor.join()
console.log(`all have left; ${semaphore.value} may enter`)
