import { BoundedSemaphore, Semaphore } from '@mp/sync'
import { describe, expect, test } from 'vitest'
import { isWaiting, kinds, pass, self, start, until, untilWaiting } from './agents.js'
import { Words } from './fixtures/words.mjs'

const overReleased = expect.objectContaining({ code: 'ERR_MP_OVER_RELEASED' })

test('permits are taken until there are none, and come back', () => {
  const semaphore = new Semaphore(2)
  const first = semaphore.acquireSync()
  const second = semaphore.tryAcquire()
  expect(semaphore.value).toBe(0)
  expect(semaphore.locked).toBe(true)
  expect(semaphore.tryAcquire()).toBeNull()
  first?.release()
  first?.release()
  expect(semaphore.value).toBe(1)
  second?.release()
  expect(semaphore.value).toBe(2)
})

test('it has one permit unless told otherwise, and can begin with none', () => {
  expect(new Semaphore().value).toBe(1)
  expect(new Semaphore(0).tryAcquire()).toBeNull()
  expect(new BoundedSemaphore().value).toBe(1)
})

test('releasing several permits lets as many waiters in, first come first served', async () => {
  const semaphore = new Semaphore(0)
  const order: number[] = []
  const waits = [0, 1, 2, 3].map(async (n) => {
    await semaphore.acquire()
    order.push(n)
  })
  semaphore.release(3)
  await Promise.all(waits.slice(0, 3))
  expect(order).toEqual([0, 1, 2])
  expect(semaphore.value).toBe(0)
  semaphore.release()
  await Promise.all(waits)
  expect(order).toEqual([0, 1, 2, 3])
})

test('a semaphore can be released above its initial value, a bounded one not', () => {
  const semaphore = new Semaphore(1)
  semaphore.release(2)
  expect(semaphore.value).toBe(3)

  const bounded = new BoundedSemaphore(2)
  expect(() => bounded.release()).toThrow(overReleased)
  bounded.acquireSync()
  expect(() => bounded.release(2)).toThrow(overReleased)
  expect(bounded.value).toBe(1)
  bounded.release()
  expect(bounded.value).toBe(2)
})

test('the value has a limit, and the release that would pass it changes nothing', () => {
  const semaphore = new Semaphore(0x7fffffff)
  expect(() => semaphore.release()).toThrow(overReleased)
  semaphore.acquireSync()
  semaphore.release()
  expect(semaphore.value).toBe(0x7fffffff)
})

test('wrong arguments are named', () => {
  expect(() => new Semaphore(-1)).toThrow(/`value`.*-1/)
  expect(() => new Semaphore(1.5)).toThrow(RangeError)
  expect(() => new Semaphore('1' as never)).toThrow(TypeError)
  expect(() => new BoundedSemaphore(NaN)).toThrow(RangeError)
  const semaphore = new Semaphore(1)
  for (const n of [0, -1, 0.5, Infinity]) expect(() => semaphore.release(n)).toThrow(RangeError)
  expect(() => semaphore.release('2' as never)).toThrow(/`n`.*'2'/)
  expect(semaphore.value).toBe(1)
})

test('a timeout or an abort takes no permit', async () => {
  const semaphore = new Semaphore(0)
  const reason = new Error('enough')
  const controller = new AbortController()
  const aborted = semaphore.acquire({ signal: controller.signal })
  expect(await semaphore.acquire({ timeout: 5 })).toBeNull()
  expect(semaphore.acquireSync({ timeout: 5 })).toBeNull()
  controller.abort(reason)
  await expect(aborted).rejects.toBe(reason)
  expect(isWaiting(semaphore, self())).toBe(false)
  semaphore.release()
  expect(semaphore.value).toBe(1)
})

describe.each(kinds)('between agents (%s)', (kind) => {
  test('never more agents are inside than there are permits', async () => {
    const semaphore = new Semaphore(2)
    const words = new Words(4)
    const agents = []
    for (const form of ['sync', 'async', 'sync', 'async']) {
      agents.push(await start(kind, 'semaphores.mjs', 'enter', semaphore, words, form, 500))
    }
    const most = await Promise.all(agents.map((agent) => agent.result))
    expect(Math.max(...most)).toBeLessThanOrEqual(2)
    expect(words.get(0)).toBe(0)
    expect(words.get(1)).toBe(2_000)
    expect(semaphore.value).toBe(2)
  })

  test('signals cross: what one releases another acquires', async () => {
    const items = new Semaphore(0)
    const room = new Semaphore(3)
    const words = new Words(2)
    const producer = await start(kind, 'semaphores.mjs', 'produce', items, room, words, 500)
    const consumer = await start(kind, 'semaphores.mjs', 'consume', items, room, words, 500)
    await producer.result
    expect(await consumer.result).toBeLessThanOrEqual(3)
    expect(words.get(0)).toBe(0)
    expect([items.value, room.value]).toEqual([0, 3])
  })

  test('a permit can be released by another agent than the one that took it', async () => {
    const semaphore = new BoundedSemaphore(2)
    semaphore.acquireSync()
    semaphore.acquireSync()
    const other = await start(kind, 'semaphores.mjs', 'release', semaphore, 2)
    await other.result
    expect(semaphore.value).toBe(2)
    expect(() => semaphore.release()).toThrow(overReleased)
  })

  test('waiters are served in the order in which they came', async () => {
    const semaphore = new Semaphore(0)
    const words = new Words(8)
    const agents = []
    // The event loop comes last: under load it may take longer than others have to wait for it.
    for (const [n, form] of ['sync', 'sync', 'async'].entries()) {
      const agent = await start(kind, 'locks.mjs', 'logTurn', semaphore, words, form, n)
      await untilWaiting(semaphore, agent)
      agents.push(agent)
    }
    await pass(2)
    semaphore.release()
    await Promise.all(agents.map((agent) => agent.result))
    expect(words.entries()).toEqual([0, 1, 2])
  })

  test.each(['sync', 'async'])(
    'a waiter (%s) is not starved by one that never stops taking the permit',
    async (form) => {
      const semaphore = new Semaphore(1)
      const words = new Words(4)
      const hog = await start(kind, 'locks.mjs', 'hog', semaphore, words)
      await until('the hog is at work', () => words.get(0) > 100)
      const waiter = await start(kind, 'locks.mjs', 'takeTurns', semaphore, form, 50)
      await waiter.result
      words.set(1, 1)
      await hog.result
      expect(semaphore.value).toBe(1)
    },
  )

  test('the permits of a killed holder come back, and a waiter gets one', async () => {
    const semaphore = new BoundedSemaphore(3)
    const holder = await start(kind, 'semaphores.mjs', 'holdForEver', semaphore, 3)
    await until('it holds all', () => semaphore.value === 0)
    const waiter = await start(kind, 'locks.mjs', 'takeOnce', semaphore, 'sync')
    const waiting = semaphore.acquire()
    await untilWaiting(semaphore, waiter)
    await holder.kill()
    await waiter.result
    const guard = await waiting
    guard?.release()
    await until('all are back', () => semaphore.value === 3)
    expect(() => semaphore.release()).toThrow(overReleased)
  })

  test('a successor in the slot of a killed holder inherits nothing', async () => {
    const semaphore = new BoundedSemaphore(1)
    const holder = await start(kind, 'semaphores.mjs', 'holdForEver', semaphore, 1)
    await until('it holds it', () => semaphore.value === 0)
    await holder.kill()
    const successor = await start(kind, 'semaphores.mjs', 'overRelease', semaphore)
    expect(successor.tag & 0xfff).toBe(holder.tag & 0xfff)
    expect(await successor.result).toBe('ERR_MP_OVER_RELEASED')
    expect(semaphore.value).toBe(1)
  })

  test('a storm of timeouts and aborts loses no permit and makes none', async () => {
    const semaphore = new BoundedSemaphore(2)
    const words = new Words(4)
    const agents = []
    for (let n = 0; n < 3; n++) {
      agents.push(await start(kind, 'semaphores.mjs', 'storm', semaphore, words, 400, n))
    }
    const most = await Promise.all(agents.map((agent) => agent.result))
    expect(Math.max(...most)).toBeLessThanOrEqual(2)
    expect(semaphore.value).toBe(2)
  })
})
