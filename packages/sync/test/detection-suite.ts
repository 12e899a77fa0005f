/**
 * Deaths of which no event loop tells the waiting agent: a suite, run for each way to hear of a death.
 *
 * @module
 */
import { HEADER, SLOT, isDead, session, slotWord, tagSlot } from '@mp/shared-memory/internal'
import { Lock } from '@mp/sync'
import { isBareRun } from 'mp-internal'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type RemoteAgent, start, until, untilWaiting, withDeadline } from './agents.js'
import { Words } from './fixtures/words.mjs'

const forms = ['sync', 'async'] as const

interface Orphan {
  readonly pid: number
  readonly tag: number
}

/** A process whose child holds the lock and outlives it. */
async function startFamily(
  lock: Lock,
  isBusy = false,
): Promise<{ parent: RemoteAgent; child: Orphan }> {
  const words = new Words(2)
  const task = ['./locks.mjs', 'holdForEver', lock]
  const parent = await start('process', 'families.mjs', 'beParent', words, isBusy, ...task)
  await until('the child has joined', () => words.get(1) !== 0)
  const child = { pid: words.get(0), tag: words.get(1) }
  onTestFinished(() => kill(child))
  await until('the child holds the lock', () => lock.locked)
  return { parent, child }
}

function kill({ pid }: Orphan): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function words(): Int32Array {
  return session().words
}

function watcherOf({ tag }: { tag: number }): number {
  return Atomics.load(words(), slotWord(tagSlot(tag)) + SLOT.watcher)
}

/** Whether the byte of a dead process can be claimed, which this does not do. */
function hasEnded({ tag }: { tag: number }): boolean {
  return session().native.probe(tagSlot(tag))
}

export function describeDetection(way: 'events' | 'probes'): void {
  // Of processes: threads are told by the steward, whatever the way.
  describe.skipIf(isBareRun)(`deaths heard of by ${way}`, () => {
    test('the session knows whether deaths are told', async () => {
      await (
        await start('process', 'locks.mjs', 'release', lockOfSelf())
      ).result
      expect(session().deathWatch.isBlind()).toBe(way === 'probes')
    })

    test.each(forms)(
      'a waiter (%s) hears of the death of a process whose parent died before it',
      async (form) => {
        const lock = new Lock()
        const { parent, child } = await startFamily(lock)
        const waiter = await start('process', 'locks.mjs', 'takeOnce', lock, form)
        await untilWaiting(lock, waiter)
        const waits = lock.acquire()
        await parent.kill()
        await until('somebody alive watches the child', () => !isDead(words(), watcherOf(child)))
        kill(child)
        const guard = await withDeadline('the lock', waits)
        const isFirst = guard?.ownerDied
        guard?.release()
        // One of the two takes it from the dead, the other from that one.
        expect(isFirst).toBe(!(await waiter.result))
      },
    )

    test('a waiter hears of a death whose adoptive watcher died too', async () => {
      const lock = new Lock()
      const { parent, child } = await startFamily(lock)
      const reaper = await start('process', 'locks.mjs', 'takeOnce', lock, 'async')
      await untilWaiting(lock, reaper)
      const waits = lock.acquire()
      // This thread does not look until the other one has adopted the child and is dead.
      parent.signal('SIGKILL')
      spinUntil('the child has been adopted', () => watcherOf(child) === reaper.tag)
      reaper.signal('SIGKILL')
      spinUntil('the reaper is dead', () => hasEnded(reaper))
      const self = session().agent.tag
      await until('this thread watches the child', () => watcherOf(child) === self)
      kill(child)
      const guard = await withDeadline('the lock', waits)
      expect(guard?.ownerDied).toBe(true)
      guard?.release()
    })

    test('a zombie holds nothing, and a death counts that was told before anybody waited', async () => {
      const lock = new Lock()
      // The parent is too busy to see its child end.
      const { child } = await startFamily(lock, true)
      const deaths = Atomics.load(words(), HEADER.deaths)
      kill(child)
      await until('it is dead', () => hasEnded(child))
      if (way === 'events') {
        await until('it was told', () => Atomics.load(words(), HEADER.deaths) !== deaths)
      }
      expect(isDead(words(), child.tag)).toBe(false)
      const guard = await withDeadline('the lock', lock.acquire())
      expect(guard?.ownerDied).toBe(true)
      guard?.release()
    })

    test.each([...forms, 'try'])(
      'who joins after a death was told (%s) learns of it',
      async (form) => {
        const lock = new Lock()
        const { child } = await startFamily(lock, true)
        kill(child)
        await until('it is dead', () => hasEnded(child))
        const newcomer = await start('process', 'locks.mjs', 'takeOnce', lock, form)
        expect(await newcomer.result).toBe(true)
      },
    )

    test('who only tries, or looks, hears of deaths too', async () => {
      for (const isFree of [
        (lock: Lock) => lock.tryAcquire()?.ownerDied === true,
        (lock: Lock) => lock.acquireSync({ timeout: 0 })?.ownerDied === true,
        (lock: Lock) => !lock.locked,
      ]) {
        const lock = new Lock()
        const { child } = await startFamily(lock, true)
        kill(child)
        spinUntil('it is free', () => isFree(lock))
      }
    })
  })
}

/** Waits without an event loop. */
function spinUntil(what: string, isSo: () => boolean): void {
  const { native } = session()
  const end = native.now() + 10_000
  while (!isSo()) {
    if (native.now() > end) throw new Error(`Waited too long until ${what}`)
  }
}

/** A lock that this thread holds. */
function lockOfSelf(): Lock {
  const lock = new Lock()
  lock.acquireSync()
  return lock
}
