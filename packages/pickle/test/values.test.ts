/** Values without functions: everything that `structuredClone` handles, and a little more. */
/* oxlint-disable no-sparse-arrays, unicorn/no-new-array -- holes are among them */
import { dumps, encodeInto, loads, loadsAsync, UnpicklingError } from '@mp/pickle'
import { describe, expect, test } from 'vitest'

const copy = <T>(value: T): T => loads(dumps(value)) as T

test('a value survives the way there and back', () => {
  expect(copy({ id: 1, name: 'abc', x: 1.5, ok: true })).toStrictEqual({
    id: 1,
    name: 'abc',
    x: 1.5,
    ok: true,
  })
})

describe('primitives arrive as they are', () => {
  const numbers = [
    0, 1, 63, 127, 128, 255, 256, -1, -128, -129, 32_767, 32_768, -32_768, -32_769, 2 ** 31 - 1,
    2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53, -(2 ** 53), 1.5, -0, NaN, Infinity, -Infinity,
    Number.MIN_VALUE, Number.MAX_VALUE, Number.EPSILON,
  ] // prettier-ignore
  test.each(numbers)('the number %s', (value) => expect(copy(value)).toBe(value))

  const bigints = [
    0n,
    1n,
    -1n,
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    10n ** 99n,
  ]
  test.each(bigints)('the bigint %s', (value) => expect(copy(value)).toBe(value))

  const strings = [
    '', 'a', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(70_000), 'é', 'é'.repeat(31), 'é'.repeat(99),
    '日本語', '日'.repeat(70_000), '\u0000', '\ud800', 'a\udc00b', '👍', `${'x'.repeat(200)}\ud800`,
  ] // prettier-ignore
  test.each(strings)('a string', (value) => expect(copy(value)).toBe(value))

  test('the rest', () => {
    for (const value of [true, false, null, undefined]) expect(copy(value)).toBe(value)
    for (const value of [Symbol.iterator, Symbol.asyncIterator, Symbol.for('mp')]) {
      expect(copy(value)).toBe(value)
    }
  })
})

describe('objects', () => {
  test('a Map or Set that changes while it is sent is refused', () => {
    const map = new Map<string, object>()
    map.set('a', { get x() { return map.set('b', {}).size } }) // prettier-ignore
    const set = new Set<object>()
    set.add({ get x() { return set.add({}).size } }) // prettier-ignore
    const why = 'was changed by a getter or hook of something in it, while it was being sent'
    expect(() => dumps({ map })).toThrow(`cannot send "map": it ${why}`)
    expect(() => dumps({ set })).toThrow(`cannot send "set": it ${why}`)
    expect(copy(1)).toBe(1)
  })

  test('keep their keys in order, also odd ones', () => {
    const object = { b: 1, a: 2, 7: 3, '': 4, 'x y': 5, ünï: 6, constructor: 7, toString: 8 }
    const back = copy(object)
    expect(back).toStrictEqual(object)
    expect(Object.keys(back)).toEqual(Object.keys(object))
  })

  test('keep an own key called __proto__ as an own key', () => {
    const object = JSON.parse('{ "__proto__": { "polluted": true }, "a": 1 }') as object
    const back = copy(object) as Record<string, unknown>
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(Object.keys(back)).toEqual(['__proto__', 'a'])
    expect(back['polluted']).toBeUndefined()
  })

  test('with the same keys are told apart from those with others, over hundreds of shapes', () => {
    const many = Array.from({ length: 400 }, (_, i) => ({
      [`k${i % 170}`]: i,
      same: i,
      [`z${i % 7}`]: {},
    }))
    expect(copy(many)).toStrictEqual(many)
    // Again, now that the receiver has builders for the common ones.
    expect(copy(many)).toStrictEqual(many)
  })

  test('of one shape in great number refer to themselves and each other', () => {
    interface Link {
      id: number
      self: Link | undefined
      next: Link | undefined
    }
    const links: Link[] = Array.from({ length: 300 }, (_, id) => ({
      id,
      self: undefined,
      next: undefined,
    }))
    for (const [i, link] of links.entries()) {
      link.self = link
      link.next = links[(i + 7) % links.length]
    }
    const back = copy(links)
    expect(back.every((link, i) => link.self === link && link.next === back[(i + 7) % 300])).toBe(
      true,
    )
  })

  test('without a prototype stay so', () => {
    const object = Object.assign(Object.create(null) as object, { a: 1 })
    expect(Object.getPrototypeOf(copy(object))).toBeNull()
    expect({ ...copy(object) }).toEqual({ a: 1 })
  })

  test('lose accessors, symbols and what is not enumerable, as in structuredClone', () => {
    const object = Object.defineProperty({ get sum() { return 3 }, [Symbol.for('s')]: 1 }, 'hidden', { value: 1 }) // prettier-ignore
    expect(Object.getOwnPropertyDescriptors(copy(object))).toEqual(
      Object.getOwnPropertyDescriptors(structuredClone(object)),
    )
  })

  test('with very many keys are maps', () => {
    const object = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key ${i}`, i]))
    expect(copy(object)).toStrictEqual(object)
  })
})

describe('arrays', () => {
  test('of numbers of every width', () => {
    for (const edge of [
      1,
      -1,
      127,
      128,
      -128,
      -129,
      32_767,
      32_768,
      2 ** 31 - 1,
      2 ** 31,
      0.5,
      -0,
      NaN,
    ]) {
      const array = [1, 2, 3, edge, 4, 5]
      expect(copy(array)).toStrictEqual(array)
    }
  })

  test('keep holes, also at the ends, and tell them from undefined', () => {
    for (const array of [
      [,],
      [, 1, , undefined, 2, ,],
      new Array(7),
      [undefined],
      [1, 2, , 4, 5],
    ]) {
      const back = copy(array)
      expect(back).toHaveLength(array.length)
      expect(Object.keys(back)).toEqual(Object.keys(array))
    }
  })

  test('keep named properties, whether short or long', () => {
    for (const length of [0, 3, 30, 1_000]) {
      const array = Object.assign(
        Array.from({ length }, (_, i) => i),
        { index: 5, input: 'x' },
      )
      const back = copy(array)
      expect(back).toStrictEqual(array)
      expect(back.input).toBe('x')
    }
    expect(copy('abc'.match(/b/))).toStrictEqual('abc'.match(/b/))
  })

  test('that are long and almost empty are neither long to send nor to write', () => {
    const array: number[] = []
    array[4_000_000_000] = 1
    array[5] = 2
    const bytes = dumps(array)
    expect(bytes.length).toBeLessThan(64)
    const back = loads(bytes) as number[]
    expect(back.length).toBe(4_000_000_001)
    expect([back[5], back[4_000_000_000], Object.keys(back).length]).toEqual([2, 1, 2])
  })
})

describe('builtin objects', () => {
  test('dates, also invalid ones', () => {
    expect(copy(new Date(123))).toStrictEqual(new Date(123))
    expect(copy(new Date(NaN)).getTime()).toBeNaN()
  })

  test('regular expressions with every flag', () => {
    for (const regexp of [/a\/b/dgimsuy, /[\u{1f600}]/u, new RegExp('')]) {
      expect(copy(regexp)).toStrictEqual(regexp)
    }
  })

  test('maps and sets in order, with any keys, and themselves', () => {
    const map = new Map<unknown, unknown>([[1, 'a'], [{ k: 1 }, new Set([1, [2]])], [NaN, -0]]) // prettier-ignore
    expect(copy(map)).toStrictEqual(map)
    map.set(map, map)
    const back = copy(map)
    expect(back.get(back)).toBe(back)
  })

  test('boxed primitives', () => {
    for (const value of [
      Object(1),
      Object('s'),
      Object(true),
      Object(5n),
      Object(Symbol.iterator),
    ]) {
      const back: unknown = copy(value)
      expect(typeof back).toBe('object')
      expect((back as { valueOf(): unknown }).valueOf()).toBe((value as object).valueOf())
    }
  })

  test('URLs and their parameters', () => {
    expect(copy(new URL('https://a.b/c?d=1#e')).href).toBe('https://a.b/c?d=1#e')
    expect(copy(new URLSearchParams('a=1&a=2')).getAll('a')).toEqual(['1', '2'])
  })

  test('an object that only looks like a Map is an object', () => {
    const fake = Object.create(Map.prototype) as object
    const back = copy(fake)
    expect(Object.getPrototypeOf(back) === Map.prototype).toBe(true)
    expect(() => (back as Map<unknown, unknown>).size).toThrow(TypeError)
  })
})

describe('bytes', () => {
  const kinds = [
    Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array,
    Float32Array, Float64Array, BigInt64Array, BigUint64Array,
  ] // prettier-ignore
  test.each(kinds.map((kind) => [kind.name, kind] as const))('%s', (_name, kind) => {
    const view = new kind(3)
    view[1] = (typeof view[0] === 'bigint' ? 5n : 5) as never
    expect(copy(view)).toStrictEqual(view)
  })

  test('DataView and ArrayBuffer', () => {
    const buffer = Uint8Array.of(1, 2, 3, 4).buffer
    expect(copy(buffer)).toStrictEqual(buffer)
    const view = copy(new DataView(buffer, 1, 2))
    expect([view.byteLength, view.getUint8(0), view.getUint8(1)]).toEqual([2, 2, 3])
  })

  test('a Buffer is a Buffer, and sends no more than its bytes', () => {
    const buffer = Buffer.from('hello')
    const bytes = dumps(buffer)
    expect(bytes.length).toBeLessThan(64)
    const back = loads(bytes) as Buffer
    expect(Buffer.isBuffer(back)).toBe(true)
    expect(back.toString()).toBe('hello')
  })

  test('a small view of a large buffer sends the part that is seen, aligned', () => {
    const large = new Float64Array(100_000).fill(1.5)
    const bytes = dumps(large.subarray(50_001, 50_004))
    expect(bytes.length).toBeLessThan(100)
    expect(loads(bytes)).toStrictEqual(Float64Array.of(1.5, 1.5, 1.5))
  })

  test('views that share a buffer share it again, whichever comes first', () => {
    const buffer = new ArrayBuffer(32)
    const parts = { first: new Uint8Array(buffer, 8, 4), second: new Uint16Array(buffer, 10, 2) }
    for (const value of [
      { ...parts },
      { buffer, ...parts },
      { ...parts, buffer },
      { whole: new Uint8Array(buffer), ...parts },
      { ...parts, whole: new Uint8Array(buffer) },
    ]) {
      const back = copy(value)
      back.first[2] = 0xff
      expect(back.second[0]).toBe(0xff)
      expect(back.first.buffer).toBe(back.second.buffer)
      if ('buffer' in back) expect(back.first.buffer).toBe(back.buffer)
    }
  })

  test('a resizable buffer stays so', () => {
    type Resizable = ArrayBuffer & { resizable: boolean; maxByteLength: number }
    const make = ArrayBuffer as unknown as new (n: number, o: object) => Resizable
    const back = copy(new make(4, { maxByteLength: 16 }))
    expect([back.byteLength, back.resizable, back.maxByteLength]).toEqual([4, true, 16])
  })

  test('what is decoded has bytes of its own', () => {
    const bytes = dumps(Uint8Array.of(1, 2, 3))
    const back = loads(bytes) as Uint8Array
    bytes.fill(0)
    expect([...back]).toEqual([1, 2, 3])
  })
})

describe('identity', () => {
  test('shared and cyclic references of all kinds of objects', () => {
    const shared = { a: 1 }
    const value: Record<string, unknown> = {
      one: shared,
      two: shared,
      list: [shared, new Map([[shared, shared]]), new Set([shared])],
      date: new Date(1),
    }
    value['self'] = value
    value['sameDate'] = value['date']
    const back = copy(value)
    expect(back['self']).toBe(back)
    expect(back['two']).toBe(back['one'])
    expect(back['sameDate']).toBe(back['date'])
    const [first, map, set] = back['list'] as [object, Map<object, object>, Set<object>]
    expect(first).toBe(back['one'])
    expect(map.get(first)).toBe(first)
    expect(set.has(first)).toBe(true)
  })

  test('among many objects', () => {
    const items = Array.from({ length: 1_000 }, (_, i) => ({ i }))
    const back = copy([...items, ...items])
    expect(back.slice(0, 1_000).every((item, i) => item === back[i + 1_000])).toBe(true)
  })
})

describe('messages', () => {
  test('are of exact length and their own', () => {
    const bytes = dumps([1, 2, 3])
    const again = dumps('something else')
    expect(bytes.buffer.byteLength).toBe(bytes.length)
    expect(loads(bytes)).toEqual([1, 2, 3])
    expect(loads(again)).toBe('something else')
  })

  test('of encodeInto hold until the next call', () => {
    const view = encodeInto({ a: [1, 2, 3] })
    expect(loads(view)).toEqual({ a: [1, 2, 3] })
    expect(loads(Buffer.from(view))).toEqual({ a: [1, 2, 3] })
  })

  test('are encoded and decoded within getters and hooks of others', () => {
    const outer = { get inner() { return loads(dumps({ deep: 1 })) }, after: [1] } // prettier-ignore
    expect(copy(outer)).toEqual({ inner: { deep: 1 }, after: [1] })
  })

  test('of many megabytes', () => {
    const value = { bytes: new Uint8Array(20_000_000).fill(7), text: 'é'.repeat(3_000_000), n: 1 }
    const back = copy(value)
    expect(back.bytes.length).toBe(20_000_000)
    expect(back.bytes.at(-1)).toBe(7)
    expect(back.text).toBe(value.text)
    expect(copy({ small: 1 })).toEqual({ small: 1 })
  })

  test('can be decoded waiting', async () => {
    expect(await loadsAsync(dumps({ a: 1 }))).toEqual({ a: 1 })
  })

  test('nested a thousand levels go, and a hundred thousand are an error', () => {
    let nested: unknown = 0
    for (let i = 0; i < 999; i++) nested = [nested]
    expect(copy(nested)).toStrictEqual(nested)
    for (let i = 0; i < 100_000; i++) nested = [nested]
    expect(() => dumps(nested)).toThrow(/is nested more than 1000 levels deep; flatten it/)
    expect(copy('afterwards')).toBe('afterwards')
  })

  test('that are not bytes, or not ours, are refused by name', () => {
    expect(() => loads('text' as never)).toThrow(
      'Expected `bytes` to be a Uint8Array, got `string`',
    )
    expect(() => loads(undefined as never)).toThrow(TypeError)
    expect(() => loads(Uint8Array.of(99, 0))).toThrow(UnpicklingError)
    expect(() => loads(new Uint8Array(0))).toThrow(UnpicklingError)
  })
})
