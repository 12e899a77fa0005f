/**
 * What an agent of a storm does, one operation after the other, each checked by the ledger.
 *
 * No operation waits for another while it holds something, so that all of them can always go on: what does not go on
 * hangs. Where a thread may have other tasks under way, blocking waits are short: one of those tasks may just have been
 * given what everybody waits for.
 *
 * @module
 */
import { BrokenBarrierError, type Guard, type LockLike } from '@mp/sync'
import { type Message, type Objects, SECTION, isWhole } from './objects.js'
import { KIND } from './record.js'
import {
  ABORTED,
  type Manner,
  type Operation,
  type Scene,
  isGivenUp,
  linger,
  makeMessage,
} from './scene.js'
import { getLease, putTask, work } from './tasks.js'

/** Acquires; undefined when that was given up. */
async function take(lock: LockLike, scene: Scene, manner: Manner): Promise<Guard | undefined> {
  const { form, options, mayFail } = manner
  try {
    const guard = form === 'sync' ? lock.acquireSync(options) : await lock.acquire(options)
    if (guard === null && !mayFail) scene.record.violation('a wait without a timeout timed out')
    return guard ?? undefined
  } catch (error) {
    if (error !== ABORTED) throw error
    return undefined
  }
}

/** Is alone in a section, which says so if it is not. */
function beAlone(scene: Scene, section: number, ownerDied: boolean): void {
  const { ledger, agent, record } = scene
  const before = ledger.enter(section, agent)
  if (before !== 0) {
    if (!ledger.isDying(before)) record.violation(`section ${section}: agent ${before} is inside`)
    else if (!ownerDied) record.violation(`section ${section}: no word of agent ${before}'s death`)
  }
  linger(scene)
  if (!ledger.leave(section, agent)) {
    record.violation(`section ${section}: agent ${ledger.holder(section)} came in`)
  }
}

function useLock(pick: (objects: Objects) => LockLike, section: number): Operation {
  return async (scene, manner) => {
    const guard = await take(pick(scene.objects), scene, manner)
    if (guard === undefined) return
    beAlone(scene, section, guard.ownerDied)
    guard.release()
  }
}

const useRLock: Operation = async (scene, manner) => {
  const { rlock } = scene.objects
  // It belongs to the thread, whose tasks it does not keep apart: only one of them may be here at a time.
  const guard = await take(rlock, scene, manner)
  if (guard === undefined) return
  const inner = rlock.tryAcquire()
  if (inner === null) scene.record.violation('the owner of an RLock could not enter again')
  beAlone(scene, SECTION.rlock, guard.ownerDied)
  inner?.release()
  guard.release()
}

function useSemaphore(index: number): Operation {
  return async (scene, manner) => {
    const { semaphore, permits } = scene.objects.semaphores[index]
    const guard = await take(semaphore, scene, manner)
    if (guard === undefined) return
    const { ledger, agent, record } = scene
    const inside = ledger.goInside(index, agent, permits)
    if (inside > permits)
      record.violation(`semaphore ${index}: ${inside} inside, ${permits} may be`)
    linger(scene)
    ledger.goOutside(index, agent)
    guard.release()
  }
}

const read: Operation = async (scene, manner) => {
  const { ledger, agent, record, objects } = scene
  const guard = await take(objects.rwLock.read, scene, manner)
  if (guard === undefined) return
  ledger.beginRead(agent)
  const writer = ledger.holder(SECTION.write)
  if (writer !== 0 && !ledger.isDying(writer))
    record.violation(`agent ${writer} writes, and we read`)
  linger(scene)
  ledger.endRead(agent)
  guard.release()
}

const write: Operation = async (scene, manner) => {
  const { ledger, record, objects } = scene
  const guard = await take(objects.rwLock.write, scene, manner)
  if (guard === undefined) return
  const reader = ledger.reader(1)
  if (reader !== 0) record.violation(`agent ${reader} reads, and we write`)
  // A reader that came after a writer's death was told instead of us.
  beAlone(scene, SECTION.write, true)
  guard.release()
}

const useEvent: Operation = async ({ objects: { event }, random }, { form }) => {
  const action = random.integer(0, 3)
  if (action === 0) event.set()
  else if (action === 1) event.clear()
  else {
    const options = { timeout: random.integer(0, 20) }
    if (form === 'sync') event.waitSync(options)
    else await event.wait(options)
  }
}

const awaitPulse: Operation = async ({ objects: { pulse }, record }, manner) => {
  const { form, options, mayFail } = manner
  try {
    const came = form === 'sync' ? pulse.waitSync(options) : await pulse.wait(options)
    if (!came && !mayFail) record.violation('a wait for an event without a timeout timed out')
  } catch (error) {
    if (error !== ABORTED) throw error
  }
}

function consume(index: number, section: number): Operation {
  return async (scene, manner) => {
    const condition = scene.objects.conditions[index]
    const guard = await take(condition, scene, { ...manner, mayFail: true })
    if (guard === undefined) return
    const { form, options } = manner
    const { ledger } = scene
    const isThere = (): boolean => ledger.tokens(index) > 0
    let isLet = false
    try {
      isLet =
        form === 'sync'
          ? condition.waitForSync(isThere, options)
          : await condition.waitFor(isThere, options)
    } catch (error) {
      if (error !== ABORTED) throw error
    }
    // Whether the lock's last holder has died is told to whoever acquires it, not to who gets it back.
    beAlone(scene, section, true)
    if (isLet) ledger.addTokens(index, -1)
    guard.release()
  }
}

function produce(index: number, section: number): Operation {
  return async (scene, manner) => {
    const condition = scene.objects.conditions[index]
    const guard = await take(condition, scene, manner)
    if (guard === undefined) return
    beAlone(scene, section, true)
    const many = scene.random.chance(0.2)
    if (scene.ledger.tokens(index) < 20) scene.ledger.addTokens(index, many ? 5 : 1)
    if (many) condition.notifyAll()
    else condition.notify()
    guard.release()
  }
}

const meet: Operation = async ({ objects: { barrier }, record, random }, { form }) => {
  const options = { timeout: random.integer(5, 60) }
  try {
    const place = form === 'sync' ? barrier.waitSync(options) : await barrier.wait(options)
    if (!(place >= 0 && place < 3)) record.violation(`a place at the barrier is ${place}`)
  } catch (error) {
    if (!(error instanceof BrokenBarrierError)) throw error
    if (random.chance(0.5)) barrier.reset()
  }
}

const PIPE = 2
/** A queue that holds more is to be emptied first. */
const ENOUGH = 200

function put(channel: number): Operation {
  return async (scene, manner) => {
    const { agent, objects, record, begun } = scene
    const queue = objects.queues[channel]
    if (queue !== undefined && queue.qsize() > ENOUGH) return
    const sequence = ++begun[channel]
    const mark = { channel, producer: agent, sequence }
    const message = makeMessage(scene, sequence)
    const { form } = manner
    // Nobody need get anything: a wait for room ends by itself. Else all could wait for it, or the last at the end.
    const timeout = manner.options.timeout ?? scene.random.integer(1, 50)
    const options = { ...manner.options, timeout }
    try {
      if (queue === undefined) {
        if (form === 'sync') objects.sending.sendSync(message, options)
        else await objects.sending.send(message, options)
      } else if (form === 'sync') queue.putSync(message, options)
      else await queue.put(message, options)
    } catch (error) {
      if (!isGivenUp(error)) throw error
      record.note({ kind: KIND.cancelled, ...mark })
      return
    }
    record.note({ kind: KIND.put, ...mark })
  }
}

function get(channel: number): Operation {
  return async (scene, manner) => {
    const { ledger, agent, objects, record, random } = scene
    const queue = objects.queues[channel]
    const { form, isAlone } = manner
    // Nobody need put anything: a wait for a message ends by itself.
    const options = { ...manner.options, timeout: manner.options.timeout ?? random.integer(1, 50) }
    const many = queue !== undefined && random.chance(0.2) ? 5 : 1
    ledger.beginTake(agent, channel, many)
    let messages: readonly Message[] = []
    try {
      if (queue === undefined) {
        messages = [
          form === 'sync'
            ? objects.receiving.recvSync(options)
            : await objects.receiving.recv(options),
        ]
      } else if (form === 'sync') messages = queue.getManySync(many, options)
      else messages = await queue.getMany(many, options)
    } catch (error) {
      if (!isGivenUp(error)) throw error
    }
    for (const [producer, sequence, filling] of messages) {
      if (!isWhole(filling)) record.violation(`a torn message of agent ${producer}`)
      record.note({ kind: isAlone ? KIND.alone : KIND.taken, channel, producer, sequence })
    }
    ledger.endTake(agent, channel, many)
  }
}

interface Choice {
  readonly name: string
  readonly run: Operation
  /** Only one at a time of a thread. */
  readonly alone?: boolean
  /** How long it may take beyond its own timeout although all goes well, in milliseconds. */
  readonly ownMs?: number
}

/** All operations; the ledger knows them by their place here, plus 1. */
export const operations: readonly Choice[] = [
  { name: 'Lock', run: useLock(({ lock }) => lock, SECTION.lock) },
  { name: 'busy Lock', run: useLock(({ busyLock }) => busyLock, SECTION.busyLock) },
  { name: 'RLock', run: useRLock, alone: true },
  { name: 'Semaphore(1)', run: useSemaphore(0) },
  { name: 'Semaphore(3)', run: useSemaphore(1) },
  { name: 'BoundedSemaphore(2)', run: useSemaphore(2) },
  { name: 'RWLock.read', run: read },
  { name: 'RWLock.write', run: write },
  { name: 'Event', run: useEvent, ownMs: 20 },
  { name: 'Event, pulsed', run: awaitPulse },
  { name: 'Condition: waitFor', run: consume(0, SECTION.condition), alone: true },
  { name: 'Condition: notify', run: produce(0, SECTION.condition), alone: true },
  { name: 'Condition over a Lock: waitFor', run: consume(1, SECTION.lockCondition) },
  { name: 'Condition over a Lock: notify', run: produce(1, SECTION.lockCondition) },
  { name: 'Barrier', run: meet, ownMs: 60 },
  { name: 'Queue: put', run: put(0), ownMs: 50 },
  { name: 'Queue: get', run: get(0), ownMs: 50 },
  { name: 'Queue(8): put', run: put(1), ownMs: 50 },
  { name: 'Queue(8): get', run: get(1), ownMs: 50 },
  { name: 'Pipe: send', run: put(PIPE), ownMs: 50 },
  { name: 'Pipe: recv', run: get(PIPE), ownMs: 50 },
  { name: 'Queue: get with a lease', run: getLease(0), ownMs: 50 },
  { name: 'Pipe: recv with a lease', run: getLease(PIPE), ownMs: 50 },
  { name: 'Tasks: put', run: putTask, ownMs: 50 },
  { name: 'Tasks: work', run: work, ownMs: 50 },
]
