import { RLock, synchronized } from '@mp/sync'
import { describe, expect, test } from 'vitest'
import { kinds, start, untilWaiting } from './agents.js'
import { Words } from './fixtures/words.mjs'

test('it stands in for the object, with a lock', () => {
  const words = new Words(2)
  const lock = new RLock()
  const both = synchronized(words, lock)
  expect(both.lock).toBe(lock)
  expect(both).toBeInstanceOf(Words)
  both.set(0, 5)
  expect(both.add(0, 1)).toBe(5)
  expect(words.get(0)).toBe(6)
  expect(synchronized(words).lock).toBeInstanceOf(RLock)
})

test('properties are read and written under the lock', () => {
  const seen: boolean[] = []
  const lock = new RLock()
  const target = {
    plain: 1,
    get size() {
      seen.push(lock.locked)
      return this.plain
    },
    set size(value: number) {
      seen.push(lock.locked)
      this.plain = value
    },
  }
  const wrapped = synchronized(target, lock)
  wrapped.size = 3
  expect(wrapped.size).toBe(3)
  expect(wrapped.plain).toBe(3)
  expect(seen).toEqual([true, true])
  expect(lock.locked).toBe(false)
  expect(() => ((synchronized(Object.freeze({ n: 1 })) as { n: number }).n = 2)).toThrow(TypeError)
})

test('wrong arguments are named', () => {
  expect(() => synchronized(5)).toThrow(/`shared`.*5/)
  expect(() => synchronized({}, {} as never)).toThrow(/`lock`.*RLock/)
})

describe.each(kinds)('between agents (%s)', (kind) => {
  test('it travels with its lock, and increments under it are exact', async () => {
    const words = synchronized(new Words(2))
    const agents = [
      await start(kind, 'synchronized.mjs', 'increment', words, 2_000),
      await start(kind, 'synchronized.mjs', 'increment', words, 2_000),
    ]
    await Promise.all(agents.map((agent) => agent.result))
    expect(words.get(0)).toBe(4_000)
  })

  test('a use waits while another agent holds the lock', async () => {
    const words = synchronized(new Words(2))
    const guard = await words.lock.acquire()
    const other = await start(kind, 'synchronized.mjs', 'get', words)
    await untilWaiting(words.lock, other)
    words.set(0, 7)
    guard?.release()
    expect(await other.result).toBe(7)
  })
})
