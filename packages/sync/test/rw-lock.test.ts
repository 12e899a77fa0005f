import { RWLock } from '@mp/sync'
import { describe, expect, test } from 'vitest'
import { kinds, pass, start, until, untilWaiting } from './agents.js'
import { Words } from './fixtures/words.mjs'

const READING = 16
const WRITING = 32

test('readers share, a writer is alone', () => {
  const lock = new RWLock()
  const first = lock.read.acquireSync()
  const second = lock.read.tryAcquire()
  expect(second).not.toBeNull()
  expect(lock.write.tryAcquire()).toBeNull()
  first?.release()
  first?.release()
  expect(lock.write.tryAcquire()).toBeNull()
  second?.release()
  const writer = lock.write.tryAcquire()
  expect(writer?.ownerDied).toBe(false)
  expect(lock.write.tryAcquire()).toBeNull()
  expect(lock.read.tryAcquire()).toBeNull()
  writer?.release()
  lock.read.acquireSync()
  lock.read.release()
  lock.write.acquireSync()
  lock.write.release()
  expect(lock.read.tryAcquire()).not.toBeNull()
})

test('releasing a side that is not held throws', () => {
  const lock = new RWLock()
  const notHeld = expect.objectContaining({ code: 'ERR_MP_NOT_HELD' })
  expect(() => lock.read.release()).toThrow(notHeld)
  expect(() => lock.write.release()).toThrow(notHeld)
  lock.read.acquireSync()
  expect(() => lock.write.release()).toThrow(notHeld)
  lock.read.release()
  expect(() => lock.read.release()).toThrow(notHeld)
})

test('who comes to read waits behind a writer that waits, and goes before the next one', async () => {
  const lock = new RWLock()
  const order: string[] = []
  const enter = async (side: 'read' | 'write', name: string) => {
    using _guard = await lock[side].acquire()
    order.push(name)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const reader = await lock.read.acquire()
  const all = [enter('write', 'w1'), enter('read', 'r1'), enter('write', 'w2'), enter('read', 'r2')]
  expect(lock.read.tryAcquire()).toBeNull()
  reader?.release()
  await Promise.all(all)
  expect(order).toEqual(['w1', 'r1', 'r2', 'w2'])
})

test('a writer that gives up lets the readers go that waited behind it', async () => {
  const lock = new RWLock()
  const reason = new Error('enough')
  const guard = await lock.read.acquire()
  const controller = new AbortController()
  const writer = lock.write.acquire({ signal: controller.signal })
  const reader = lock.read.acquire()
  expect(lock.read.tryAcquire()).toBeNull()
  controller.abort(reason)
  await expect(writer).rejects.toBe(reason)
  ;(await reader)?.release()
  expect(await lock.write.acquire({ timeout: 5 })).toBeNull()
  expect(lock.write.acquireSync({ timeout: 5 })).toBeNull()
  guard?.release()
  expect(await lock.write.run(() => 'written')).toBe('written')
})

test('run is there for both sides, and says when time is up', async () => {
  const lock = new RWLock()
  expect(await lock.read.run(() => lock.read.run(async () => 1))).toBe(1)
  const guard = await lock.read.acquire()
  const late = lock.write.run(() => 2, { timeout: 5 })
  await expect(late).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
  await expect(lock.write.run(3 as never)).rejects.toThrow(/`fn`.*3/)
  guard?.release()
})

describe.each(kinds)('between agents (%s)', (kind) => {
  test('readers never see a half-made change, and no change is lost', async () => {
    const lock = new RWLock()
    const words = new Words(8)
    const writers = [
      await start(kind, 'rw-locks.mjs', 'write', lock, words, 'sync', 500),
      await start(kind, 'rw-locks.mjs', 'write', lock, words, 'async', 500),
    ]
    const readers = [
      await start(kind, 'rw-locks.mjs', 'read', lock, words, 'sync', 500),
      await start(kind, 'rw-locks.mjs', 'read', lock, words, 'async', 500),
    ]
    await Promise.all(writers.map((writer) => writer.result))
    const torn = await Promise.all(readers.map((reader) => reader.result))
    expect(torn).toEqual([0, 0])
    expect([words.get(0), words.get(1)]).toEqual([1_000, 1_000])
  })

  test.each(['sync', 'async'])(
    'a writer (%s) is not starved by readers that never let go together',
    async (form) => {
      const lock = new RWLock()
      const words = new Words(8)
      const readers = [
        await start(kind, 'rw-locks.mjs', 'readAlways', lock, words),
        await start(kind, 'rw-locks.mjs', 'readAlways', lock, words),
      ]
      await until('they read', () => words.get(2) > 100)
      const writer = await start(kind, 'rw-locks.mjs', 'write', lock, words, form, 30)
      await writer.result
      words.set(3, 1)
      await Promise.all(readers.map((reader) => reader.result))
    },
  )

  test('a reader is not starved by a writer that never stops', async () => {
    const lock = new RWLock()
    const words = new Words(8)
    const writer = await start(kind, 'rw-locks.mjs', 'writeAlways', lock, words)
    await until('it writes', () => words.get(0) > 100)
    const readers = [
      await start(kind, 'rw-locks.mjs', 'read', lock, words, 'sync', 30),
      await start(kind, 'rw-locks.mjs', 'read', lock, words, 'async', 30),
    ]
    expect(await Promise.all(readers.map((reader) => reader.result))).toEqual([0, 0])
    words.set(3, 1)
    await writer.result
  })

  test('who waits gets in when the writer is killed, and learns of it; only once', async () => {
    const lock = new RWLock()
    const words = new Words(8)
    const holder = await start(kind, 'rw-locks.mjs', 'holdForEver', lock, words, 'write')
    await until('it writes', () => words.get(7) === 1)
    const waiter = await start(kind, 'rw-locks.mjs', 'takeOnce', lock, 'read', 'sync')
    await untilWaiting(lock, waiter, READING)
    const other = await start(kind, 'rw-locks.mjs', 'takeOnce', lock, 'write', 'async')
    await untilWaiting(lock, other, WRITING)
    await pass(2)
    await holder.kill()
    const died = await Promise.all([waiter.result, other.result])
    expect(died.filter(Boolean)).toHaveLength(1)
  })

  test('a reader that is killed reads no more', async () => {
    const lock = new RWLock()
    const words = new Words(8)
    const holder = await start(kind, 'rw-locks.mjs', 'holdForEver', lock, words, 'read')
    await until('it reads', () => words.get(7) === 1)
    const waiter = await start(kind, 'rw-locks.mjs', 'takeOnce', lock, 'write', 'sync')
    await untilWaiting(lock, waiter, WRITING)
    const own = lock.write.acquire().then((guard) => {
      guard?.release()
      return guard?.ownerDied
    })
    await holder.kill()
    expect(await Promise.all([own, waiter.result])).toEqual([false, false])
  })

  test('a waiting writer that is killed lets the readers behind it go', async () => {
    const lock = new RWLock()
    const guard = await lock.read.acquire()
    const writer = await start(kind, 'rw-locks.mjs', 'takeOnce', lock, 'write', 'sync')
    await untilWaiting(lock, writer, WRITING)
    const reader = await start(kind, 'rw-locks.mjs', 'takeOnce', lock, 'read', 'async')
    await untilWaiting(lock, reader, READING)
    await writer.kill()
    expect(await reader.result).toBe(false)
    guard?.release()
  })

  test('only who writes can release the writing side', async () => {
    const lock = new RWLock()
    const guard = await lock.write.acquire()
    const other = await start(kind, 'rw-locks.mjs', 'releaseWrite', lock)
    await expect(other.result).rejects.toMatchObject({ code: 'ERR_MP_NOT_OWNER' })
    guard?.release()
    expect(lock.read.tryAcquire()).not.toBeNull()
  })
})
