/**
 * What has to be so when the storm is over: everything is free, whole, and works.
 *
 * @module
 */
import type { LockLike } from '@mp/sync'
import { type Message, type Objects } from './objects.js'
import { sorted } from '../sorted.js'
import { KIND } from './record.js'
import type { Tally } from './tally.js'

/** Who empties the channels in the end. */
const DIRECTOR = 0

/** Says what is wrong; adds what is left in the channels to the accounts. */
export async function verify(objects: Objects, tally: Tally): Promise<string[]> {
  const problems: string[] = []
  const { lock, busyLock, rlock, rwLock, conditions, semaphores, event, barrier } = objects
  const locks: [string, LockLike][] = [
    ['Lock', lock],
    ['busy Lock', busyLock],
    ['RLock', rlock],
    ['RWLock.write', rwLock.write],
    ['RWLock.read', rwLock.read],
    ...conditions.map((condition): [string, LockLike] => ['Condition', condition]),
  ]
  for (const [name, one] of locks) {
    const guard = one.tryAcquire()
    if (guard === null) problems.push(`${name}: not free in the end`)
    guard?.release()
  }
  for (const [index, { semaphore, permits }] of semaphores.entries()) {
    const { value } = semaphore
    if (value !== permits)
      problems.push(`semaphore ${index}: ${value} permits in the end, not ${permits}`)
  }
  event.set()
  if (!(await event.wait({ timeout: 100 }))) problems.push('Event: not seen in the end')
  barrier.reset()
  const places = await Promise.all([1, 2, 3].map(() => barrier.wait({ timeout: 1_000 })))
  if (sorted(places) !== '0,1,2') problems.push(`Barrier: places ${places.join()} in the end`)
  drain(objects, tally)
  return problems
}

function drain({ queues, receiving, sending }: Objects, tally: Tally): void {
  const left: [number, Message][] = []
  for (const [channel, queue] of queues.entries()) {
    for (let next = queue.tryGet(); next !== null; next = queue.tryGet()) {
      left.push([channel, next.value])
    }
  }
  while (receiving.pollSync({ timeout: 0 })) left.push([queues.length, receiving.recvSync()])
  tally.add(
    DIRECTOR,
    left.map(([channel, [producer, sequence]]) => ({
      kind: KIND.alone,
      channel,
      producer,
      sequence,
    })),
  )
  receiving.close()
  sending.close()
}
