import { session } from '@mp/shared-memory/internal'
import { Lock } from '@mp/sync'
import { isBareRun } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import { isWaiting, kinds, pass, self, start, until, untilWaiting } from './agents.js'
import { Words } from './fixtures/words.mjs'

test('a lock is free, then held, then free again', () => {
  const lock = new Lock()
  expect(lock.locked).toBe(false)
  const guard = lock.acquireSync()
  expect(guard?.ownerDied).toBe(false)
  expect(lock.locked).toBe(true)
  expect(lock.tryAcquire()).toBeNull()
  guard?.release()
  expect(lock.locked).toBe(false)
})

test('a guard gives back its own acquisition only, and once', async () => {
  const lock = new Lock()
  const first = await lock.acquire()
  lock.release()
  const second = await lock.acquire()
  first?.release()
  expect(lock.locked).toBe(true)
  second?.release()
  second?.release()
  expect(lock.locked).toBe(false)
})

test('`using` gives the lock back at the end of its block', async () => {
  const lock = new Lock()
  {
    using guard = await lock.acquire()
    expect(guard).not.toBeNull()
    expect(lock.locked).toBe(true)
  }
  expect(lock.locked).toBe(false)
})

test('releasing a lock that nobody holds throws and changes nothing', () => {
  const lock = new Lock()
  expect(() => lock.release()).toThrow(expect.objectContaining({ code: 'ERR_MP_NOT_HELD' }))
  expect(lock.tryAcquire()).not.toBeNull()
})

test('asynchronous waiters of one thread get the lock in the order in which they came', async () => {
  const lock = new Lock()
  lock.acquireSync()
  const order: number[] = []
  const tasks = [0, 1, 2, 3].map(async (n) => {
    using _guard = await lock.acquire()
    order.push(n)
  })
  lock.release()
  await Promise.all(tasks)
  expect(order).toEqual([0, 1, 2, 3])
})

test('a timeout gives null in both forms, and the lock is not held', async () => {
  const lock = new Lock()
  const guard = await lock.acquire()
  expect(await lock.acquire({ timeout: 5 })).toBeNull()
  expect(await lock.acquire({ timeout: 0 })).toBeNull()
  expect(lock.acquireSync({ timeout: 5 })).toBeNull()
  expect(lock.acquireSync({ timeout: -1 })).toBeNull()
  guard?.release()
  expect(lock.locked).toBe(false)
})

test('an abort before or during the wait rejects with its reason and leaves nothing behind', async () => {
  const lock = new Lock()
  const reason = new Error('enough')
  expect(() => lock.acquireSync({ signal: AbortSignal.abort(reason) })).toThrow(reason)
  await expect(lock.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(lock.locked).toBe(false)

  const guard = await lock.acquire()
  const controller = new AbortController()
  const waits = lock.acquire({ signal: controller.signal })
  expect(isWaiting(lock, self())).toBe(true)
  controller.abort(reason)
  await expect(waits).rejects.toBe(reason)
  expect(isWaiting(lock, self())).toBe(false)
  guard?.release()
  expect(lock.locked).toBe(false)
})

test('run holds the lock until the promise of its function is settled', async () => {
  const lock = new Lock()
  const result = lock.run(async () => {
    await Promise.resolve()
    return lock.locked
  })
  expect(lock.locked).toBe(true)
  expect(await result).toBe(true)
  expect(lock.locked).toBe(false)
})

test('run releases when its function throws, and does not call it when time is up', async () => {
  const lock = new Lock()
  const failure = new Error('inside')
  const failing = lock.run(() => {
    throw failure
  })
  await expect(failing).rejects.toBe(failure)
  const guard = await lock.acquire()
  let called = false
  const late = lock.run(() => (called = true), { timeout: 5 })
  await expect(late).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
  expect(called).toBe(false)
  guard?.release()
})

test('wrong arguments are named', async () => {
  const lock = new Lock()
  await expect(lock.acquire({ timeout: 'soon' } as never)).rejects.toThrow(/`timeout`.*'soon'/)
  expect(() => lock.acquireSync({ timeout: NaN })).toThrow(RangeError)
  expect(() => lock.acquireSync({ signal: {} } as never)).toThrow(/`signal`/)
  await expect(lock.run(42 as never)).rejects.toThrow(/`fn`.*42/)
  expect(lock.locked).toBe(false)
})

describe.each(kinds)('between agents (%s)', (kind) => {
  test('increments under a lock are exact, whichever form each agent uses', async () => {
    const lock = new Lock()
    const words = new Words(4)
    const agents = [
      await start(kind, 'locks.mjs', 'increment', lock, words, 'sync', 3_000),
      await start(kind, 'locks.mjs', 'increment', lock, words, 'async', 1_000),
      await start(kind, 'locks.mjs', 'increment', lock, words, 'try', 3_000),
      await start(kind, 'locks.mjs', 'increment', lock, words, 'sync', 3_000),
    ]
    await Promise.all(agents.map((agent) => agent.result))
    expect(words.get(0)).toBe(10_000)
    expect(lock.locked).toBe(false)
  })

  test('the lock goes to those who have waited, in the order in which they came', async () => {
    const lock = new Lock()
    const words = new Words(8)
    const guard = await lock.acquire()
    const agents = []
    // The event loop comes last: under load it may take longer than others have to wait for it.
    for (const [n, form] of ['sync', 'sync', 'async'].entries()) {
      const agent = await start(kind, 'locks.mjs', 'logTurn', lock, words, form, n)
      await untilWaiting(lock, agent)
      agents.push(agent)
    }
    await pass(2)
    guard?.release()
    await Promise.all(agents.map((agent) => agent.result))
    expect(words.entries()).toEqual([0, 1, 2])
  })

  test.each(['sync', 'async'])(
    'a waiter (%s) is not starved by one that never stops taking the lock',
    async (form) => {
      const lock = new Lock()
      const words = new Words(4)
      const hog = await start(kind, 'locks.mjs', 'hog', lock, words)
      await until('the hog is at work', () => words.get(0) > 100)
      const waiter = await start(kind, 'locks.mjs', 'takeTurns', lock, form, 50)
      await waiter.result
      words.set(1, 1)
      await hog.result
    },
  )

  test('a lock taken by one agent can be released by another', async () => {
    const lock = new Lock()
    const guard = lock.acquireSync()
    const other = await start(kind, 'locks.mjs', 'release', lock)
    await other.result
    expect(lock.locked).toBe(false)
    expect(() => guard?.release()).toThrow(expect.objectContaining({ code: 'ERR_MP_NOT_HELD' }))
  })

  test.each(['sync', 'async'])(
    'a waiter (%s) gets the lock when its holder is killed, and learns of it',
    async (form) => {
      const lock = new Lock()
      const holder = await start(kind, 'locks.mjs', 'holdForEver', lock)
      await until('it is held', () => lock.locked)
      const waiter = await start(kind, 'locks.mjs', 'takeOnce', lock, form)
      await untilWaiting(lock, waiter)
      await holder.kill()
      expect(await waiter.result).toBe(true)
      expect(lock.locked).toBe(false)
      const guard = await lock.acquire()
      expect(guard?.ownerDied).toBe(false)
      guard?.release()
    },
  )

  test('a dead holder does not hold the lock', async () => {
    const lock = new Lock()
    const holder = await start(kind, 'locks.mjs', 'holdForEver', lock)
    await until('it is held', () => lock.locked)
    await holder.kill()
    await until('its death is known', () => !lock.locked)
    expect(() => lock.release()).toThrow(expect.objectContaining({ code: 'ERR_MP_NOT_HELD' }))
    expect(lock.tryAcquire()?.ownerDied).toBe(true)
  })

  test('a waiter that is killed leaves nothing behind', async () => {
    const lock = new Lock()
    const guard = await lock.acquire()
    const dies = await start(kind, 'locks.mjs', 'takeOnce', lock, 'sync')
    await untilWaiting(lock, dies)
    const lives = await start(kind, 'locks.mjs', 'takeOnce', lock, 'sync')
    await untilWaiting(lock, lives)
    await pass(2)
    await dies.kill()
    guard?.release()
    expect(await lives.result).toBe(false)
  })

  test('timeouts and aborts in a crowd lose nothing', async () => {
    const lock = new Lock()
    const words = new Words(4)
    const agents = []
    for (let n = 0; n < 3; n++) {
      agents.push(await start(kind, 'locks.mjs', 'impatient', lock, words, 400, n))
    }
    const taken = await Promise.all(agents.map((agent) => agent.result))
    expect(words.get(0)).toBe(taken.reduce((sum, count) => sum + count, 0))
    expect(lock.locked).toBe(false)
  })
})

test.skipIf(isBareRun)(
  'a stopped process that waits holds the others up no more than once',
  async () => {
    const lock = new Lock()
    const words = new Words(4)
    const guard = await lock.acquire()
    const stopped = await start('process', 'locks.mjs', 'takeOnce', lock, 'sync')
    await untilWaiting(lock, stopped)
    stopped.signal('SIGSTOP')
    const agents = [
      await start('process', 'locks.mjs', 'increment', lock, words, 'sync', 2_000),
      await start('process', 'locks.mjs', 'increment', lock, words, 'async', 500),
    ]
    for (const agent of agents) await untilWaiting(lock, agent)
    guard?.release()
    await Promise.all(agents.map((agent) => agent.result))
    expect(words.get(0)).toBe(2_500)
    stopped.signal('SIGCONT')
    expect(await stopped.result).toBe(false)
  },
)

test.skipIf(isBareRun)(
  'who only tries gets the lock of a killed holder, though its event loop does not turn',
  async () => {
    const lock = new Lock()
    const holder = await start('process', 'locks.mjs', 'holdForEver', lock)
    await until('it is held', () => lock.locked)
    holder.signal('SIGKILL')
    const { native } = session()
    const end = native.now() + 2_000
    let guard = lock.tryAcquire()
    while (guard === null && native.now() < end) guard = lock.tryAcquire()
    expect(guard?.ownerDied).toBe(true)
  },
)
