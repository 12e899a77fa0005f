/**
 * What the living have when somebody has died: a suite for all primitives, run for each way to hear of a death.
 *
 * @module
 */
import {
  AT,
  GRAVES,
  GRAVE_WORDS,
  SLOT,
  type SharedObject,
  session,
  slotWord,
  tagSlot,
} from '@mp/shared-memory/internal'
import { Barrier, Condition, Event, Lock, RLock, RWLock, Semaphore } from '@mp/sync'
import { isBareRun } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import { type Kind, kinds, self, start, until, untilWaiting, withDeadline } from './agents.js'
import { Words } from './fixtures/words.mjs'

const forms = ['sync', 'async'] as const
const FIXTURE = 'deaths.mjs'

/** What can be held, and the wait set of those who want it then. */
const things: [string, () => SharedObject, number][] = [
  ['lock', () => new Lock(), 16],
  ['rlock', () => new RLock(), 16],
  ['semaphore', () => new Semaphore(2), 16],
  ['write', () => new RWLock(), 16],
  ['read', () => new RWLock(), 32],
]

/** How agents end, and what is said of them. */
const allEnds: [Kind, string, string][] = [
  ['process', 'kill', 'killed'],
  ['process', 'exit', 'exited'],
  ['process', 'throw', 'exited'],
  ['thread', 'exit', 'ended'],
  ['thread', 'throw', 'ended'],
]
const ends = allEnds.filter(([kind]) => kinds.includes(kind))

/** What is said of one that a test has killed. */
const reasonOfKill = isBareRun ? 'ended' : 'killed'

function pidOf({ tag }: { tag: number }): number {
  return Atomics.load(session().words, slotWord(tagSlot(tag)) + SLOT.pid)
}

/** Waits without an event loop, until the bytes of a process are free. */
function spinUntilDead({ tag }: { tag: number }): void {
  const { native } = session()
  const end = native.now() + 10_000
  while (!native.probe(tagSlot(tag))) {
    if (native.now() > end) throw new Error('Waited too long for a death')
  }
}

async function reached(words: Words, stage = 1): Promise<void> {
  await until(`stage ${stage} is reached`, () => words.get(0) === stage)
}

export function describeRecovery(way: 'events' | 'probes'): void {
  describe.each(kinds)(`after a death (%s) that is heard of by ${way}`, (kind) => {
    describe.each(forms)('who waits (%s)', (form) => {
      test.each(things)('gets a %s whose holder is killed', async (name, make, set) => {
        const thing = make()
        const words = new Words(2)
        const holder = await start(kind, FIXTURE, 'holdAndEnd', thing, name, words, 'wait')
        await reached(words)
        const pid = pidOf(holder)
        const waiter = await start('process', FIXTURE, 'account', thing, name, form)
        await untilWaiting(thing, waiter, set)
        await holder.kill()
        const deadOwner = { pid, reason: kind === 'thread' ? 'ended' : reasonOfKill }
        // A reader changes nothing: its death is nobody's concern.
        expect(await waiter.result).toEqual(
          name === 'read' ? { ownerDied: false, deadOwner: null } : { ownerDied: true, deadOwner },
        )
      })

      test('goes on at a condition when a holder, or a waiter that was notified, is killed', async () => {
        const condition = new Condition()
        const words = new Words(8)
        const dies = await start(kind, 'conditions.mjs', 'logTurn', condition, words, 'sync', 1)
        await untilWaiting(condition, dies)
        const lives = await start('process', 'conditions.mjs', 'logTurn', condition, words, form, 2)
        await untilWaiting(condition, lives)
        condition.acquireSync()
        condition.notify()
        await dies.kill()
        condition.release()
        expect(await lives.result).toBe(true)

        const next = await start('process', 'conditions.mjs', 'logTurn', condition, words, form, 3)
        await untilWaiting(condition, next)
        const holder = await start(kind, 'conditions.mjs', 'holdForEver', condition, words)
        await until('it is held', () => words.get(7) === 1)
        await holder.kill()
        expect(await next.result).toBe(true)
      })

      test('at a barrier finds it broken when a party that has come is killed', async () => {
        const barrier = new Barrier(3)
        const dies = await start(kind, FIXTURE, 'arrive', barrier, 'sync')
        const lives = await start('process', FIXTURE, 'arrive', barrier, form)
        await until('both have come', () => barrier.waiting === 2)
        await dies.kill()
        expect(await lives.result).toBe('ERR_MP_BROKEN_BARRIER')
      })
    })
  })

  describe(`deaths at a bad moment, heard of by ${way}`, () => {
    test('who is killed between the setting of an event and its wakes has set it', async () => {
      const event = new Event()
      const sync = await start('process', 'events.mjs', 'wait', event, 'sync')
      const async = await start('process', 'events.mjs', 'wait', event, 'async')
      for (const waiter of [sync, async]) await untilWaiting(event, waiter)
      await start('process', FIXTURE, 'dieSetting', event)
      expect(await Promise.all([sync.result, async.result])).toEqual([true, true])
    })

    test.each(forms)(
      'who is killed between giving a lock back and its wake (%s) has given it back',
      async (form) => {
        const lock = new Lock()
        const guard = lock.acquireSync()
        const waiter = await start('process', FIXTURE, 'account', lock, 'lock', form)
        await untilWaiting(lock, waiter)
        guard?.release()
        await waiter.result
        const dies = start('process', FIXTURE, 'dieReleasing', lock)
        const next = await start('process', FIXTURE, 'account', lock, 'lock', form)
        await dies
        expect(await next.result).toEqual({ ownerDied: false, deadOwner: null })
      },
    )

    test.each(forms)('who is killed in notify() loses no waiter (%s)', async (form) => {
      const condition = new Condition()
      const words = new Words(8)
      const waiter = await start('process', 'conditions.mjs', 'logTurn', condition, words, form, 1)
      await untilWaiting(condition, waiter)
      await start('process', FIXTURE, 'dieNotifying', condition)
      expect(await waiter.result).toBe(true)
    })

    test.each(ends)('a %s that holds a lock and ends by %s has %s', async (kind, how, reason) => {
      const lock = new Lock()
      for (const inside of [false, true]) {
        const words = new Words(2)
        const begun = inside
          ? start(kind, FIXTURE, 'endInside', lock, words, how)
          : start(kind, FIXTURE, 'holdAndEnd', lock, 'lock', words, how)
        await reached(words)
        const guard = await withDeadline('the lock', lock.acquire())
        const pid = kind === 'thread' ? process.pid : expect.any(Number)
        expect(guard?.deadOwner).toEqual({ pid, reason })
        guard?.release()
        await begun
      }
    })

    test.each(ends)(
      'a %s that waits in vain and ends by %s takes no wake along',
      async (kind, how) => {
        const lock = new Lock()
        const words = new Words(2)
        const guard = lock.acquireSync()
        const dies = await start(kind, FIXTURE, 'waitAndEnd', lock, words, how)
        await reached(words)
        await untilWaiting(lock, dies)
        const lives = await start('process', FIXTURE, 'account', lock, 'lock', 'async')
        await untilWaiting(lock, lives)
        words.set(1, 1)
        guard?.release()
        expect(await lives.result).toMatchObject({ ownerDied: expect.any(Boolean) })
        ;(await withDeadline('the lock', lock.acquire()))?.release()
      },
    )

    test('a thread that is terminated while it waits asleep, or never gives way, is dead', async () => {
      const lock = new Lock()
      const words = new Words(2)
      const holder = await start('thread', FIXTURE, 'holdAndEnd', lock, 'lock', words, 'spin')
      await reached(words)
      const sleeper = await start('thread', FIXTURE, 'account', lock, 'lock', 'sync')
      await untilWaiting(lock, sleeper)
      await sleeper.kill()
      const waits = lock.acquire()
      await holder.kill()
      expect((await withDeadline('the lock', waits))?.deadOwner).toEqual({
        pid: process.pid,
        reason: 'ended',
      })
    })

    test.skipIf(isBareRun)(
      'a process that is stopped is not dead, however long it takes',
      async () => {
        const lock = new Lock()
        const words = new Words(2)
        const holder = await start('process', FIXTURE, 'holdUntilTold', lock, words)
        await reached(words)
        holder.signal('SIGSTOP')
        for (const form of forms) {
          const waiter = await start('process', FIXTURE, 'isFreeIn', lock, form, 300)
          expect(await waiter.result).toBe(false)
        }
        expect(lock.tryAcquire()).toBeNull()
        const waits = lock.acquire()
        words.set(1, 1)
        holder.signal('SIGCONT')
        const guard = await withDeadline('the lock', waits)
        expect(guard?.ownerDied).toBe(false)
        await holder.result
      },
    )

    test('of many who reap at once one recovers, and all go on', async () => {
      const lock = new Lock()
      const words = new Words(2)
      const holder = await start('process', FIXTURE, 'holdAndEnd', lock, 'lock', words, 'wait')
      await reached(words)
      const waiters = []
      for (const kind of kinds) {
        for (const form of forms) {
          const waiter = await start(kind, FIXTURE, 'account', lock, 'lock', form)
          await untilWaiting(lock, waiter)
          waiters.push(waiter)
        }
      }
      await holder.kill()
      const accounts = await Promise.all(waiters.map((waiter) => waiter.result))
      expect(accounts.filter(({ ownerDied }) => ownerDied)).toHaveLength(1)
    })

    test('a reaper that is killed half-way is followed by another', async () => {
      const lock = new Lock()
      const words = new Words(2)
      const holder = await start('process', FIXTURE, 'holdAndEnd', lock, 'lock', words, 'wait')
      await reached(words)
      const deadOwner = { pid: pidOf(holder), reason: reasonOfKill }
      const over = holder.kill()
      spinUntilDead(holder)
      for (const step of [4, 12, 20, 30, 45, 70]) {
        const reaper = await start('process', FIXTURE, 'dieReaping', step)
        spinUntilDead(reaper)
      }
      const guard = await withDeadline('the lock', lock.acquire())
      expect(guard?.deadOwner).toEqual(deadOwner)
      guard?.release()
      await over
    })

    test("a process id that is a living stranger's by now means nothing", async () => {
      const lock = new Lock()
      const words = new Words(2)
      const holder = await start('process', FIXTURE, 'holdAndEnd', lock, 'lock', words, 'wait')
      await reached(words)
      Atomics.store(session().words, slotWord(tagSlot(holder.tag)) + SLOT.pid, process.ppid)
      const waits = lock.acquire()
      await holder.kill()
      expect((await withDeadline('the lock', waits))?.ownerDied).toBe(true)
    })
  })

  describe(`what the next holder learns, by ${way}`, () => {
    test('who has its lock back after a wait learns who died holding it meanwhile', async () => {
      for (const lock of [new Lock(), new RLock()]) {
        const condition = new Condition(lock)
        const guard = await condition.acquire()
        const waits = condition.wait()
        await untilWaiting(condition, self())
        const words = new Words(2)
        const holder = await start(
          'process',
          FIXTURE,
          'holdAndEnd',
          condition,
          'lock',
          words,
          'wait',
        )
        await reached(words)
        expect(guard?.ownerDied).toBe(false)
        const pid = pidOf(holder)
        await holder.kill()
        expect(await withDeadline('the condition', waits)).toBe(true)
        expect(guard?.ownerDied).toBe(true)
        expect(guard?.deadOwner).toEqual({ pid, reason: reasonOfKill })
        guard?.release()
        expect((await lock.acquire())?.deadOwner).toBeNull()
        lock.release()
      }
    })

    test('who died is known before anybody has reaped it, and when it is forgotten, that it died is not', async () => {
      const lock = new Lock()
      for (const isForgotten of [false, true]) {
        const words = new Words(2)
        const holder = await start('thread', FIXTURE, 'holdAndEnd', lock, 'lock', words, 'wait')
        await reached(words)
        await holder.kill()
        if (isForgotten) {
          session().reaper.reapAll()
          const { words: all } = session()
          for (let n = 0; n < GRAVES; n++) Atomics.store(all, AT.graves + n * GRAVE_WORDS, 0)
        }
        const guard = lock.tryAcquire()
        expect(guard?.ownerDied).toBe(true)
        expect(guard?.deadOwner).toEqual(isForgotten ? null : { pid: process.pid, reason: 'ended' })
        guard?.release()
      }
    })
  })
}
