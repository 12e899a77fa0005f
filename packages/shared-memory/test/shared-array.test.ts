/** SharedArray: what it is, who sees it, and when it ends. */
import {
  OutOfSharedMemoryError,
  SharedArray,
  SharedValue,
  type TypedArray,
} from '@mp/shared-memory'
import { ENTRY, ENTRY_FREE, PAGE_BYTES, entryWord, session } from '@mp/shared-memory/internal'
import { isBareRun } from 'mp-internal'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { decode, encode } from './fixtures/shared-transport.mjs'
import {
  collectOften,
  kinds,
  pagesInUse,
  run,
  start,
  startEncoded,
  unitsInUse,
  until,
  untilCollected,
  untilEmpty,
} from './shared-agents.js'

/** The word of an array that names its first page. */
const OWNED_PAGE = 2

/** Kept from the collector: its words are somebody else's by then. */
const usurped: unknown[] = []

let units: number

beforeAll(() => {
  session()
  units = unitsInUse()
})

afterAll(async () => {
  await untilCollected(
    'all memory is given back',
    () => pagesInUse() === 0 && unitsInUse() === units,
  )
})

const constructors = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
]

test('an array has zeros, a length, and an ordinary typed array over its bytes', () => {
  const shared = new SharedArray(Int32Array, 5)
  expect(shared.length).toBe(5)
  expect(shared.array).toEqual(new Int32Array(5))
  expect(shared.array.buffer.byteLength).toBe(20)
  shared.array[4] = -7
  expect([...shared]).toEqual([0, 0, 0, 0, -7])
  expect(shared.array).toBe(shared.array)
})

test.each(constructors)('an array of %o holds the items that it is made of', (constructor) => {
  const shared = new SharedArray<TypedArray>(constructor, new Set([1, 2, 127]) as never)
  expect(shared.array).toBeInstanceOf(constructor)
  expect([...shared]).toEqual([1, 2, 127])
})

test('arrays of 64-bit integers hold bigints', () => {
  const signed = new SharedArray(BigInt64Array, [-(2n ** 63n), 5n])
  const unsigned = new SharedArray(BigUint64Array, 2)
  unsigned.array[1] = 2n ** 64n - 1n
  expect([...signed, ...unsigned]).toEqual([-(2n ** 63n), 5n, 0n, 2n ** 64n - 1n])
  expectTypeOf(signed.array).toEqualTypeOf<BigInt64Array<ArrayBuffer>>()
  expectTypeOf([...unsigned]).toEqualTypeOf<bigint[]>()
  expectTypeOf([...new SharedArray(Float32Array, 1)]).toEqualTypeOf<number[]>()
})

test('an array may be empty', async () => {
  const shared = new SharedArray(Float64Array, 0)
  expect(shared.array).toEqual(new Float64Array())
  expect([...new SharedArray(Int8Array, [])]).toEqual([])
  expect(await run('process', 'doubleAll', shared)).toBe(0)
})

test('Uint8ClampedArray clamps, as it does everywhere', () => {
  expect([...new SharedArray(Uint8ClampedArray, [-5, 300, 1.6])]).toEqual([0, 255, 2])
})

test.each([
  ['type', () => new SharedArray(Array as never, 3), TypeError],
  ['type', () => new SharedArray(Buffer as never, 3), TypeError],
  ['type', () => new SharedArray(undefined as never, 3), TypeError],
  ['length', () => new SharedArray(Int8Array, -1), RangeError],
  ['length', () => new SharedArray(Int8Array, 1.5), RangeError],
  ['length', () => new SharedArray(Int8Array, NaN), RangeError],
  ['lengthOrItems', () => new SharedArray(Int8Array, undefined as never), TypeError],
  ['lengthOrItems', () => new SharedArray(Int8Array, {} as never), TypeError],
  ['items[1]', () => new SharedArray(Int8Array, [0, 128]), RangeError],
  ['items[0]', () => new SharedArray(Uint32Array, [-1]), RangeError],
  ['items[0]', () => new SharedArray(Int32Array, [0.5]), RangeError],
  ['items[0]', () => new SharedArray(Float32Array, [1e300]), RangeError],
  ['items[2]', () => new SharedArray(Float64Array, [1, 2, '3' as never]), TypeError],
  ['items[0]', () => new SharedArray(BigInt64Array, [2n ** 63n]), RangeError],
  ['items[0]', () => new SharedArray(BigInt64Array, [0.5 as never]), RangeError],
])('a wrong `%s` is refused by name (%#)', (name, make, type) => {
  expect(make).toThrow(type)
  expect(make).toThrow(`Expected \`${name}\` to be`)
})

test.skipIf(isBareRun)(
  'an array that cannot fit says how large it is, and how large the session',
  () => {
    const before = unitsInUse()
    const { count } = session().pages
    const make = () => new SharedArray(Float64Array, 2 ** 40)
    expect(make).toThrow(OutOfSharedMemoryError)
    expect(make).toThrow(`${2 ** 43} bytes`)
    expect(make).toThrow(`the session's ${count * 65_536} bytes`)
    expect(unitsInUse()).toBeLessThanOrEqual(before)
  },
)

test.each([10, 5_000_000])(
  'memory that was used before comes zeroed (%i bytes)',
  async (length) => {
    await untilEmpty()
    const first = ((): number => {
      const dirty = new SharedArray(Uint8Array, length)
      dirty.array.fill(0xff)
      return session().words[dirty.handle.base + OWNED_PAGE]
    })()
    await untilEmpty()
    const clean = new SharedArray(Uint8Array, length)
    expect(session().words[clean.handle.base + OWNED_PAGE]).toBe(first)
    expect(clean.array.every((byte) => byte === 0)).toBe(true)
  },
)

test.skipIf(isBareRun)('a detached buffer costs a view, not the memory', () => {
  const shared = new SharedArray(Int16Array, [1, 2])
  const { array } = shared
  session().native.detach(array.buffer)
  expect(array.length).toBe(0)
  expect([...shared.array]).toEqual([1, 2])
})

describe.each(kinds)('between a %s and this one', (kind) => {
  test('the elements are the same memory', async () => {
    const floats = new SharedArray(Float64Array, [1, 2, 3.5])
    const bigs = new SharedArray(BigUint64Array, [2n ** 40n])
    expect(await run(kind, 'doubleAll', floats)).toBe(3)
    await run(kind, 'doubleAll', bigs)
    expect([...floats, ...bigs]).toEqual([2, 4, 7, 2n ** 41n])
  })

  test('several pages are the same memory, too', async () => {
    const shared = new SharedArray(Int32Array, 100_000)
    shared.array.forEach((_, i, array) => (array[i] = i))
    await run(kind, 'doubleAll', shared)
    expect(shared.array.every((item, i) => item === 2 * i)).toBe(true)
  })

  test('Atomics work on its array', async () => {
    const shared = new SharedArray(Int32Array, 1)
    const agents = await Promise.all([0, 1].map(() => start(kind, 'countUp', shared, 20_000)))
    await Promise.all(agents.map(({ result }) => result))
    expect(shared.array[0]).toBe(40_000)
  })

  test('it is one object in each of them, however it came', async () => {
    const shared = new SharedArray(Uint8Array, 3)
    expect(await run(kind, 'isSameObject', shared, shared)).toBe(true)
    expect(await run(kind, 'giveBack', shared)).toBe(shared)
  })

  test('an array that the other one made outlives it', async () => {
    const agent = await start(kind, 'makeArray', [1, 2, 3])
    const shared = await agent.result
    await agent.kill()
    await collectOften()
    expect([...shared]).toEqual([1, 2, 3])
  })

  test.skipIf(isBareRun)(
    'its memory is given back when the last one to hold it is killed',
    async () => {
      await untilEmpty()
      const started = new SharedValue('i32')
      const agent = await start(kind, 'holdForEver', new SharedArray(Int32Array, 10), started)
      await until('it holds the array', () => started.value === 1)
      await collectOften()
      expect(pagesInUse()).toBe(1)
      await agent.kill()
      await untilEmpty()
    },
  )
})

test('the elements stay while their typed array can be reached, be the SharedArray forgotten', async () => {
  const { array } = new SharedArray(Int32Array, [4, 5])
  await collectOften()
  const others = Array.from({ length: 20 }, () => new SharedArray(Int32Array, 2))
  expect([...array]).toEqual([4, 5])
  expect(others.every((other) => other.array[0] === 0)).toBe(true)
})

test('an array on its way stays, though nobody holds it', async () => {
  const message = encode(new SharedArray(Int32Array, [1, 2]))
  await collectOften()
  const agent = await startEncoded('process', 'giveBack', [message])
  expect([...(await agent.result)]).toEqual([1, 2])
})

test.skipIf(isBareRun)(
  'a message that is decoded again after the array has ended is refused',
  async () => {
    const message = encode(new SharedArray(Int32Array, [1, 2]))
    await decode(message)
    await untilEmpty()
    await expect(decode(message)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_MP_STALE_HANDLE' }),
    )
  },
)

test.skipIf(isBareRun)(
  'whom death interrupts while it ends an array is finished by the others',
  async () => {
    await untilEmpty()
    const { words, pages, agent } = session()
    const shared = new SharedArray(Uint8Array, 3 * PAGE_BYTES)
    usurped.push(shared)
    const started = new SharedValue('i32')
    const ending = await start('process', 'holdForEver', 0, started)
    // Killed earlier, it would leave the value on its way for ever.
    await until('it has the value', () => started.value === 1)
    // What the other one would have done: its tag in the entry, the first page freed.
    const entry = entryWord(shared.handle.index)
    Atomics.and(words, entry + ENTRY.holders + (agent.slot >>> 5), ~(1 << (agent.slot & 31)))
    Atomics.store(words, entry, ending.tag)
    pages.arena.free(Atomics.load(words, shared.handle.base + OWNED_PAGE), 1)
    expect(pagesInUse()).toBe(2)
    await ending.kill()
    expect(pagesInUse()).toBe(0)
    expect(Atomics.load(words, entry)).toBe(ENTRY_FREE)
  },
)
