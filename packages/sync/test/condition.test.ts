import { Condition, Lock, RLock } from '@mp/sync'
import { describe, expect, test } from 'vitest'
import { isWaiting, kinds, self, start, until, untilWaiting } from './agents.js'
import { Words } from './fixtures/words.mjs'

const notHeld = expect.objectContaining({ code: 'ERR_MP_NOT_HELD' })

test('a waiter goes on when it is notified, holding the lock again', async () => {
  const lock = new Lock()
  const condition = new Condition(lock)
  const waits = condition.run(async () => {
    expect(await condition.wait()).toBe(true)
    return lock.locked
  })
  await until('it waits', () => isWaiting(condition, self()))
  expect(lock.locked).toBe(false)
  await condition.run(() => condition.notify())
  expect(await waits).toBe(true)
  expect(lock.locked).toBe(false)
})

test('who does not hold the lock can neither wait nor notify', async () => {
  for (const condition of [
    new Condition(),
    new Condition(new Lock()),
    new Condition(new RLock()),
  ]) {
    expect(() => condition.waitSync()).toThrow(notHeld)
    expect(() => condition.notify()).toThrow(notHeld)
    expect(() => condition.notifyAll()).toThrow(notHeld)
    expect(() => condition.waitForSync(() => true)).toThrow(notHeld)
    await expect(condition.wait()).rejects.toEqual(notHeld)
    await expect(condition.waitFor(() => true)).rejects.toEqual(notHeld)
    expect(() => condition.release()).toThrow(notHeld)
  }
})

test('the lock is held again after a timeout, in both forms', async () => {
  const condition = new Condition(new Lock())
  condition.acquireSync()
  expect(await condition.wait({ timeout: 5 })).toBe(false)
  expect(condition.waitSync({ timeout: 5 })).toBe(false)
  expect(condition.waitSync({ timeout: 0 })).toBe(false)
  expect(condition.tryAcquire()).toBeNull()
  condition.release()
})

test('the guard that was there before a wait is good after it', async () => {
  for (const lock of [new Lock(), new RLock()]) {
    const condition = new Condition(lock)
    const guard = await condition.acquire()
    await condition.wait({ timeout: 1 })
    expect(lock.locked).toBe(true)
    guard?.release()
    expect(lock.locked).toBe(false)
  }
})

test('waiting lets go of all levels of an RLock, and has them again', async () => {
  const lock = new RLock()
  const condition = new Condition(lock)
  const outer = await condition.acquire()
  const inner = condition.acquireSync()
  const waits = condition.wait()
  await until('it waits', () => isWaiting(condition, self()))
  expect(lock.locked).toBe(false)
  await condition.run(() => condition.notifyAll())
  expect(await waits).toBe(true)
  inner?.release()
  expect(lock.locked).toBe(true)
  outer?.release()
  expect(lock.locked).toBe(false)
})

test('notify lets the waiters of one thread go in the order in which they came', async () => {
  const condition = new Condition(new Lock())
  const order: number[] = []
  const waits = [0, 1, 2, 3].map((n) =>
    condition.run(async () => {
      await condition.wait()
      order.push(n)
    }),
  )
  await until('all wait', () => isWaiting(condition, self()))
  await condition.run(() => condition.notify(0))
  await condition.run(() => condition.notify(2))
  await Promise.all(waits.slice(0, 2))
  expect(order).toEqual([0, 1])
  await condition.run(() => condition.notify(99))
  await Promise.all(waits)
  expect(order).toEqual([0, 1, 2, 3])
})

test('a notification before the wait is not kept', async () => {
  const condition = new Condition()
  condition.acquireSync()
  condition.notify()
  condition.notifyAll()
  expect(condition.waitSync({ timeout: 5 })).toBe(false)
  condition.release()
})

test('an aborted wait rejects holding the lock, and passes on a notification that it got', async () => {
  const lock = new Lock()
  const condition = new Condition(lock)
  const reason = new Error('enough')
  const controller = new AbortController()
  const aborted = condition.run(async () => {
    await expect(condition.wait({ signal: controller.signal })).rejects.toBe(reason)
    expect(lock.locked).toBe(true)
  })
  await until('it waits', () => isWaiting(condition, self()))
  const other = condition.run(() => condition.wait({ timeout: 10_000 }))
  const guard = await condition.acquire()
  controller.abort(reason)
  condition.notify()
  guard?.release()
  await aborted
  expect(await other).toBe(true)
  expect(lock.locked).toBe(false)
})

test('waitFor gives the last value of its predicate, and bounds the whole wait', async () => {
  const condition = new Condition(new Lock())
  let value = 0
  condition.acquireSync()
  expect(await condition.waitFor(() => 'at once')).toBe('at once')
  expect(await condition.waitFor(() => value, { timeout: 5 })).toBe(0)
  expect(condition.waitForSync(() => value, { timeout: 5 })).toBe(0)
  condition.release()
  const waits = condition.run(() => condition.waitFor(async () => value > 1 && { value }))
  for (let n = 0; n < 2; n++) {
    await until('it waits', () => isWaiting(condition, self()))
    await condition.run(() => {
      value++
      condition.notify()
    })
  }
  expect(await waits).toEqual({ value: 2 })
})

test('wrong arguments are named', async () => {
  expect(() => new Condition({} as never)).toThrow(/`lock`.*Lock or an RLock/)
  const condition = new Condition()
  condition.acquireSync()
  expect(() => condition.notify(-1)).toThrow(/`n`.*-1/)
  expect(() => condition.notify(1.5)).toThrow(RangeError)
  await expect(condition.waitFor('yes' as never)).rejects.toThrow(/`predicate`.*'yes'/)
  await expect(condition.wait({ timeout: 'soon' as never })).rejects.toThrow(TypeError)
  condition.release()
})

describe.each(kinds)('between agents (%s)', (kind) => {
  test.each(['sync', 'async'])('a ball goes to and fro (%s)', async (form) => {
    const condition = new Condition()
    const words = new Words(2)
    const players = [
      await start(kind, 'conditions.mjs', 'play', condition, words, form, 0, 300),
      await start(
        kind,
        'conditions.mjs',
        'play',
        condition,
        words,
        form === 'sync' ? 'async' : form,
        1,
        300,
      ),
    ]
    await Promise.all(players.map((player) => player.result))
    expect(words.get(0)).toBe(600)
  })

  test('notify lets waiters go in the order in which they came, notifyAll lets all go', async () => {
    const condition = new Condition()
    const words = new Words(8)
    const agents = []
    for (const [n, form] of ['sync', 'async', 'sync', 'async'].entries()) {
      const agent = await start(kind, 'conditions.mjs', 'logTurn', condition, words, form, n)
      await untilWaiting(condition, agent)
      agents.push(agent)
    }
    for (let n = 0; n < 2; n++) {
      condition.acquireSync()
      condition.notify()
      condition.release()
      await agents[n]?.result
    }
    expect(words.entries()).toEqual([0, 1])
    condition.acquireSync()
    condition.notifyAll()
    condition.release()
    await Promise.all(agents.map((agent) => agent.result))
    expect(
      words
        .entries()
        .slice(2)
        .sort((a, b) => a - b),
    ).toEqual([2, 3])
  })

  test('items pass a bounded buffer one by one, with impatient takers in between', async () => {
    const changed = new Condition(new Lock())
    const words = new Words(4)
    const agents = [
      await start(kind, 'conditions.mjs', 'put', changed, words, 'sync', 400),
      await start(kind, 'conditions.mjs', 'put', changed, words, 'async', 400),
      await start(kind, 'conditions.mjs', 'take', changed, words, 'sync', 400),
      await start(kind, 'conditions.mjs', 'take', changed, words, 'async', 400),
    ]
    await Promise.all(agents.map((agent) => agent.result))
    expect([words.get(0), words.get(1), words.get(2)]).toEqual([0, 800, 800])
  })

  test('waiters go on when the holder of the lock is killed', async () => {
    const condition = new Condition()
    const words = new Words(8)
    const waiter = await start(kind, 'conditions.mjs', 'logTurn', condition, words, 'sync', 1)
    const other = await start(kind, 'conditions.mjs', 'logTurn', condition, words, 'async', 2)
    await untilWaiting(condition, waiter)
    await untilWaiting(condition, other)
    const holder = await start(kind, 'conditions.mjs', 'holdForEver', condition, words)
    await until('it is held', () => words.get(7) === 1)
    await holder.kill()
    expect(await waiter.result).toBe(true)
    expect(await other.result).toBe(true)
  })

  test('a notification whose receiver is killed before it used it goes to another waiter', async () => {
    const condition = new Condition()
    const words = new Words(8)
    const dies = await start(kind, 'conditions.mjs', 'logTurn', condition, words, 'sync', 1)
    await untilWaiting(condition, dies)
    const lives = await start(kind, 'conditions.mjs', 'logTurn', condition, words, 'sync', 2)
    await untilWaiting(condition, lives)
    condition.acquireSync()
    condition.notify()
    // It has its notification, and cannot use it: the lock is held.
    await dies.kill()
    condition.release()
    expect(await lives.result).toBe(true)
    expect(words.entries()).toEqual([2])
  })

  test('a waiter that is killed is not notified', async () => {
    const condition = new Condition()
    const words = new Words(8)
    const dies = await start(kind, 'conditions.mjs', 'logTurn', condition, words, 'sync', 1)
    await untilWaiting(condition, dies)
    const lives = await start(kind, 'conditions.mjs', 'logTurn', condition, words, 'sync', 2)
    await untilWaiting(condition, lives)
    await dies.kill()
    condition.acquireSync()
    condition.notify()
    condition.release()
    expect(await lives.result).toBe(true)
    expect(words.entries()).toEqual([2])
  })
})
