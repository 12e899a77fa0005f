/** ShareableList: Python's, whole items always. */
import { ShareableList, SharedValue } from '@mp/shared-memory'
import { session } from '@mp/shared-memory/internal'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import {
  kinds,
  pagesInUse,
  run,
  start,
  unitsInUse,
  until,
  untilCollected,
} from './shared-agents.js'

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

const items = [
  null,
  true,
  false,
  0,
  -0.5,
  NaN,
  -0,
  5n,
  -(2n ** 63n),
  2n ** 63n,
  -(2n ** 130n),
  '',
  'hällo 👍',
  'NULs at the end\0\0',
  '\ud83d half a pair',
  new Uint8Array(),
  Uint8Array.of(1, 0, 0),
]

test('a list holds what it was made of', () => {
  const list = new ShareableList(items)
  expect(list.length).toBe(items.length)
  expect([...list]).toEqual(items)
  expect(list.get(0)).toBe(null)
  expect(list.get(-1)).toEqual(Uint8Array.of(1, 0, 0))
  expect(list.at(-2)).toEqual(new Uint8Array())
  expect([list.at(items.length), list.at(-items.length - 1)]).toEqual([undefined, undefined])
  expect([...new ShareableList([])]).toEqual([])
})

test('any item may be replaced by one of any kind that fits', () => {
  const list = new ShareableList(items)
  for (let i = 0; i < items.length; i++) {
    for (const item of [null, true, 1.5, -1n, '12345678', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)]) {
      list.set(i, item)
      expect(list.get(i)).toEqual(item)
    }
  }
})

test('strings and bytes have room in steps of 8 bytes, and more is refused', () => {
  const list = new ShareableList<string | number | bigint>(['12345678', 'é', 3])
  list.set(0, 'x'.repeat(16))
  expect(() => list.set(0, 'x'.repeat(17))).toThrow(RangeError)
  expect(() => list.set(1, 'ééééx')).toThrow('Expected `item` to be of at most 8 bytes')
  list.set(2, 2n ** 63n - 1n)
  expect(() => list.set(2, 2n ** 63n)).toThrow(RangeError)
  expect([...list]).toEqual(['x'.repeat(16), 'é', 2n ** 63n - 1n])
})

test('bytes that come out are a copy', () => {
  const list = new ShareableList([Uint8Array.of(1, 2)])
  list.get(0)[0] = 9
  expect(list.get(0)).toEqual(Uint8Array.of(1, 2))
})

test('count, indexOf and index go by value', () => {
  const list = new ShareableList([1, 'a', 1, NaN, Uint8Array.of(7), 1n, -0])
  expect([list.count(1), list.count(NaN), list.count(0), list.count('b')]).toEqual([2, 1, 1, 0])
  expect(list.indexOf(Uint8Array.of(7))).toBe(4)
  expect([list.indexOf(1n), list.indexOf(2)]).toEqual([5, -1])
  expect(list.index('a')).toBe(1)
  expect(() => list.index('b')).toThrow(RangeError)
})

test.each([
  [() => new ShareableList(5 as never), TypeError, 'items'],
  [() => new ShareableList('abc' as never), TypeError, 'items'],
  [() => new ShareableList([1, undefined as never]), TypeError, 'items[1]'],
  [() => new ShareableList([1]).set(0, {} as never), TypeError, 'item'],
  [() => new ShareableList([1]).set(1, 1), RangeError, 'index'],
  [() => new ShareableList([1]).get(-2), RangeError, 'index'],
  [() => new ShareableList([1]).get(0.5), RangeError, 'index'],
  [() => new ShareableList([1]).get('0' as never), TypeError, 'index'],
  [() => new ShareableList([]).get(0), RangeError, 'index'],
])('wrong arguments are refused by name (%#)', (make, type, name) => {
  expect(make).toThrow(type)
  expect(make).toThrow(`Expected \`${name}\``)
})

test('types are inferred', () => {
  expectTypeOf(new ShareableList(['a', 1]).get(0)).toEqualTypeOf<string | number>()
  expectTypeOf(new ShareableList([true]).get(0)).toEqualTypeOf<boolean>()
})

describe.each(kinds)('between a %s and this one', (kind) => {
  test('the items are the same', async () => {
    const list = new ShareableList(items)
    expect(await run(kind, 'readItems', new ShareableList([3, 'x']))).toEqual([3, 'x'])
    await run(kind, 'setItem', list, 3, 'changed')
    expect(list.get(3)).toBe('changed')
    expect(await run(kind, 'giveBack', list)).toBe(list)
  })

  test('no reader sees half an item, be the writers many and be they killed', async () => {
    const list = new ShareableList(['x'.repeat(200)])
    const started = new SharedValue('i32')
    const reader = await start(kind, 'findTorn', list, 100_000)
    for (let round = 1; round <= 3; round++) {
      const writers = await Promise.all(
        ['ab', 'cd'].map((letters) => start(kind, 'writeForEver', list, letters, started)),
      )
      await until('they write', () => started.value === 2 * round)
      for (let n = 0; n < 20_000; n++) {
        const item = list.get(0)
        if (item !== item[0].repeat(item.length)) throw new Error(`Half an item: ${item}`)
      }
      await Promise.all(writers.map((writer) => writer.kill()))
      list.set(0, 'y'.repeat(round))
      expect(list.get(0)).toBe('y'.repeat(round))
    }
    expect(await reader.result).toBe(null)
  })
})
