/**
 * What has to be so when the storm is over: everything is free, whole, and works.
 *
 * @module
 */
import { HEADER, OBJECT_OWNER, session } from '@mp/shared-memory/internal'
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
  if (!objects.tasks.joinSync({ timeout: 0 })) problems.push('Tasks: not all are done in the end')
  problems.push(...findLostPages())
  return problems
}

/** Every page in use is an object's or the director's: nobody else lives. */
function findLostPages(): string[] {
  const { pages, agent, words } = session()
  const lost = new Set<number>()
  for (let page = 0; page < Atomics.load(words, HEADER.highPage); page++) {
    const owner = pages.arena.owner(page)
    if (owner !== 0 && owner !== agent.tag && (owner & OBJECT_OWNER) === 0) lost.add(owner)
  }
  return [...lost].map((tag) => `pages are still those of the dead agent ${tag}`)
}

function drain({ queues, tasks, receiving, sending }: Objects, tally: Tally): void {
  const left: [number, Message][] = []
  for (const [channel, queue] of queues.entries()) {
    for (let next = queue.tryGet(); next !== null; next = queue.tryGet()) {
      left.push([channel, next.value])
    }
  }
  while (receiving.pollSync({ timeout: 0 })) left.push([queues.length, receiving.recvSync()])
  // Those that come again are not in order.
  for (let task = tasks.tryGetTask(); task !== null; task = tasks.tryGetTask()) {
    left.push([queues.length + 1, task.value])
    task.done()
  }
  tally.add(
    DIRECTOR,
    left.map(([channel, [producer, sequence]]) => ({
      kind: channel > queues.length ? KIND.taken : KIND.alone,
      channel,
      producer,
      sequence,
    })),
  )
  receiving.close()
  sending.close()
}
