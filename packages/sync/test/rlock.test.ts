import { RLock } from '@mp/sync'
import { describe, expect, test } from 'vitest'
import { kinds, start, until, untilWaiting } from './agents.js'
import { Words } from './fixtures/words.mjs'

test('its owner takes it again without waiting, in every form, and releases it as often', async () => {
  const lock = new RLock()
  const guards = [await lock.acquire(), lock.acquireSync(), lock.tryAcquire(), await lock.acquire()]
  expect(guards).not.toContain(null)
  for (const guard of guards) {
    expect(lock.locked).toBe(true)
    guard?.release()
  }
  expect(lock.locked).toBe(false)
})

test('a guard gives back one level, once, in any order', () => {
  const lock = new RLock()
  const outer = lock.acquireSync()
  const inner = lock.acquireSync()
  outer?.release()
  outer?.release()
  expect(lock.locked).toBe(true)
  inner?.release()
  expect(lock.locked).toBe(false)
})

test('release gives back the level of the last guard', () => {
  const lock = new RLock()
  const outer = lock.acquireSync()
  const inner = lock.acquireSync()
  lock.release()
  inner?.release()
  expect(lock.locked).toBe(true)
  outer?.release()
  expect(lock.locked).toBe(false)
})

test('releasing it when nobody holds it throws', () => {
  const lock = new RLock()
  expect(() => lock.release()).toThrow(expect.objectContaining({ code: 'ERR_MP_NOT_HELD' }))
  lock.acquireSync()?.release()
  expect(() => lock.release()).toThrow(expect.objectContaining({ code: 'ERR_MP_NOT_HELD' }))
})

test('run can be nested', async () => {
  const lock = new RLock()
  expect(await lock.run(() => lock.run(() => lock.run(() => 'inside')))).toBe('inside')
  expect(lock.locked).toBe(false)
})

describe.each(kinds)('between agents (%s)', (kind) => {
  test('only its owner releases it', async () => {
    const lock = new RLock()
    const guard = lock.acquireSync()
    const other = await start(kind, 'locks.mjs', 'release', lock)
    await expect(other.result).rejects.toMatchObject({ code: 'ERR_MP_NOT_OWNER' })
    expect(lock.locked).toBe(true)
    guard?.release()
    expect(lock.locked).toBe(false)
  })

  test('others get it when the last level is released, not before', async () => {
    const lock = new RLock()
    const outer = lock.acquireSync()
    const inner = lock.acquireSync()
    const other = await start(kind, 'locks.mjs', 'takeOnce', lock, 'sync')
    await untilWaiting(lock, other)
    inner?.release()
    expect(lock.locked).toBe(true)
    await untilWaiting(lock, other)
    outer?.release()
    expect(await other.result).toBe(false)
  })

  test('nested increments are exact', async () => {
    const lock = new RLock()
    const words = new Words(2)
    const agents = [
      await start(kind, 'locks.mjs', 'incrementNested', lock, words, 2_000),
      await start(kind, 'locks.mjs', 'incrementNested', lock, words, 2_000),
    ]
    await Promise.all(agents.map((agent) => agent.result))
    expect(words.get(0)).toBe(8_000)
    expect(lock.locked).toBe(false)
  })

  test('when its owner is killed holding two levels, the next owner starts with one and learns of it', async () => {
    const lock = new RLock()
    const holder = await start(kind, 'locks.mjs', 'holdTwice', lock)
    await until('it is held', () => lock.locked)
    const waiting = lock.acquire()
    await holder.kill()
    const guard = await waiting
    expect(guard?.ownerDied).toBe(true)
    expect(lock.acquireSync()?.ownerDied).toBe(false)
    lock.release()
    guard?.release()
    expect(lock.locked).toBe(false)
  })
})
