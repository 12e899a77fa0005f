/** Blocking and asynchronous waits of one agent, side by side. */
import { Condition, Event, Lock, Semaphore } from '@mp/sync'
import { describe, expect, test } from 'vitest'
import { isWaiting, kinds, pass, self, start, until, untilWaiting } from './agents.js'
import { Words } from './fixtures/words.mjs'

test('a thread that blocks takes its asynchronous waiters out of the way, and puts them back', async () => {
  const lock = new Lock()
  const event = new Event()
  lock.acquireSync()
  const waits = lock.acquire()
  expect(isWaiting(lock, self())).toBe(true)
  expect(event.waitSync({ timeout: 5 })).toBe(false)
  await Promise.resolve()
  expect(isWaiting(lock, self())).toBe(true)
  lock.release()
  ;(await waits)?.release()
  expect(lock.locked).toBe(false)
})

describe.each(kinds)('between agents (%s)', (kind) => {
  test('a wake meant for a frozen event loop reaches the next waiter', async () => {
    const lock = new Lock()
    const event = new Event()
    const words = new Words(4)
    const guard = await lock.acquire()
    const frozen = await start(kind, 'mixed.mjs', 'waitThenBlock', lock, event, words)
    await untilWaiting(event, frozen)
    const next = await start(kind, 'locks.mjs', 'takeOnce', lock, 'sync')
    await untilWaiting(lock, next)
    await pass(2)
    guard?.release()
    expect(await next.result).toBe(false)
    expect(words.get(0)).toBe(0)
    event.set()
    expect(await frozen.result).toBe('acquired')
    expect(words.get(0)).toBe(1)
  })

  test('a wake that comes just before the loop freezes reaches the next waiter', async () => {
    const semaphore = new Semaphore(0)
    const event = new Event()
    const words = new Words(4)
    const frozen = await start(kind, 'mixed.mjs', 'waitThenSpin', semaphore, event, words)
    await until('it waits', () => words.get(1) === 1)
    const next = await start(kind, 'locks.mjs', 'takeOnce', semaphore, 'sync')
    await untilWaiting(semaphore, next)
    // The busy loop is first in line and gets the wake; the other must not wait for it.
    semaphore.release()
    await next.result
    expect(words.get(0)).toBe(0)
    words.set(2, 1)
    await frozen.result
    expect(semaphore.value).toBe(1)
  })

  test('one agent waits in both forms at one lock, and every wait is served', async () => {
    const lock = new Lock()
    const words = new Words(2)
    const agents = [
      await start(kind, 'mixed.mjs', 'bothForms', lock, words, 60),
      await start(kind, 'mixed.mjs', 'bothForms', lock, words, 60),
      await start(kind, 'mixed.mjs', 'bothForms', lock, words, 60),
    ]
    await Promise.all(agents.map((agent) => agent.result))
    expect(words.get(0)).toBe(3 * 60 * 3)
    expect(lock.locked).toBe(false)
  })

  test('notifications for one agent reach its blocking and its asynchronous waiters', async () => {
    const condition = new Condition(new Lock())
    const words = new Words(4)
    const agent = await start(kind, 'mixed.mjs', 'waitTwice', condition, words)
    await until('both wait', () => words.get(1) === 1)
    await untilWaiting(condition, agent)
    condition.acquireSync()
    condition.notifyAll()
    condition.release()
    expect(await agent.result).toEqual([true, true])
  })
})

test('what came in time counts, though the event loop was too busy to see it before the time was up', async () => {
  const event = new Event()
  const go = new Event()
  const setter = await start('thread', 'events.mjs', 'setAfter', go, event)
  // Timers of one length fire one right after the other: the busy one, then the timeout.
  setTimeout(() => {
    go.set()
    while (!event.isSet());
  }, 50)
  expect(await event.wait({ timeout: 50 })).toBe(true)
  await setter.result
})
