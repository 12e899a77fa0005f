/** Random values: the copy must be what `structuredClone` makes of them. */
import { isDeepStrictEqual } from 'node:util'
import { dumps, loads } from '@mp/pickle'
import { expect, test } from 'vitest'

/** Mulberry32 (public domain, Tommy Ettinger): the same values in every run of a seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

class Maker {
  readonly #random: () => number
  readonly #made: object[] = []

  constructor(seed: number) {
    this.#random = randomOf(seed)
  }

  below(n: number): number {
    return Math.floor(this.#random() * n)
  }

  value(depth: number): unknown {
    if (this.#made.length > 0 && this.below(12) === 0)
      return this.#made[this.below(this.#made.length)]
    return this.below(10) < (depth <= 0 ? 10 : 4) ? this.primitive() : this.object(depth)
  }

  primitive(): unknown {
    switch (this.below(12)) {
      case 0:
        return undefined
      case 1:
        return null
      case 2:
        return this.below(2) === 0
      case 3:
        return this.below(300) - 150
      case 4:
        return (this.#random() - 0.5) * 2 ** (this.below(80) - 10)
      case 5:
        return [NaN, -0, Infinity, 2 ** 31, -(2 ** 31)][this.below(5)]
      case 6:
        return BigInt(this.below(1000) - 500) ** BigInt(this.below(20))
      default:
        return this.text()
    }
  }

  text(): string {
    const length = this.below(8) === 0 ? this.below(300) : this.below(12)
    const ranges = [0x5f, 0x5f, 0x5f, 0xe0, 0xd7ff, 0xffff]
    const range = ranges[this.below(ranges.length)]
    return Array.from({ length }, () => String.fromCharCode(32 + this.below(range))).join('')
  }

  #keep<T extends object>(object: T): T {
    this.#made.push(object)
    return object
  }

  object(depth: number): unknown {
    const size = this.below(depth > 3 ? 6 : 4)
    const next = (): unknown => this.value(depth - 1)
    switch (this.below(13)) {
      case 0: {
        const array = this.#keep<unknown[]>([])
        for (let i = 0; i < size; i++) array[i + this.below(3)] = next()
        if (this.below(6) === 0) Object.assign(array, { named: next() })
        return array
      }
      case 1:
        return this.#keep(
          Array.from({ length: this.below(40) }, () => this.below(2 ** this.below(34)) - 50),
        )
      case 2: {
        const map = this.#keep(new Map())
        for (let i = 0; i < size; i++) map.set(next(), next())
        return map
      }
      case 3: {
        const set = this.#keep(new Set())
        for (let i = 0; i < size; i++) set.add(next())
        return set
      }
      case 4:
        return this.#keep(new Date(this.below(5) === 0 ? NaN : this.below(2 ** 31)))
      case 5:
        return this.#keep(
          new RegExp(['a+', '[/]', '\\d', '(?:)'][this.below(4)], ['', 'g', 'giu'][this.below(3)]),
        )
      case 6:
        return this.#keep(Object(this.below(2) === 0 ? this.below(9) : this.text()) as object)
      case 7: {
        const buffer = this.#keep(new Uint8Array(this.below(40)).map(() => this.below(256)).buffer)
        return this.below(2) === 0 ? buffer : this.#keep(new Uint8Array(buffer))
      }
      case 8: {
        const kinds = [Int16Array, Uint32Array, Float32Array, Float64Array]
        return this.#keep(
          new kinds[this.below(4)](Array.from({ length: size }, () => this.below(99))),
        )
      }
      default: {
        const object = this.#keep<Record<string, unknown>>({})
        const keys = ['id', 'name', 'x', 'ok', '7', '']
        for (let i = 0; i < size; i++) {
          object[this.below(3) === 0 ? this.text() : keys[this.below(keys.length)]] = next()
        }
        return object
      }
    }
  }
}

/**
 * Compares two graphs: values, order of keys, and which objects are the same one.
 *
 * `isDeepStrictEqual` does not see whether two equal objects are one.
 */
function sameGraph(a: unknown, b: unknown, pairs: Map<object, object>): boolean {
  if (typeof a !== 'object' || a === null) return Object.is(a, b)
  if (typeof b !== 'object' || b === null) return false
  const known = pairs.get(a)
  if (known !== undefined) return known === b
  pairs.set(a, b)
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime())
  if (ArrayBuffer.isView(a)) {
    return isDeepStrictEqual(a, b) && sameGraph(a.buffer, (b as Uint8Array).buffer, pairs)
  }
  if (a instanceof RegExp || a instanceof ArrayBuffer) return isDeepStrictEqual(a, b)
  if (a instanceof Map || a instanceof Set) {
    return sameGraph([...a], [...(b as Set<unknown>)], pairs)
  }
  if (a.valueOf() !== a && !Object.is(a.valueOf(), b.valueOf())) return false
  const keys = Object.keys(a)
  if (!isDeepStrictEqual(keys, Object.keys(b))) return false
  if (Array.isArray(a) && a.length !== (b as unknown[]).length) return false
  return keys.every((key) => sameGraph(a[key as never], b[key as never], pairs))
}

test('the comparison sees what it is for', () => {
  const shared = {}
  expect(sameGraph([shared, shared], [{}, {}], new Map())).toBe(false)
  expect(sameGraph({ a: -0 }, { a: 0 }, new Map())).toBe(false)
  expect(sameGraph([undefined], Object.assign([], { length: 1 }), new Map())).toBe(false)
  expect(sameGraph({ a: 1, b: 2 }, { b: 2, a: 1 }, new Map())).toBe(false)
})

test.each([1, 2, 3, 4])(
  '3000 random values arrive as structuredClone copies them (seed %s)',
  (seed) => {
    for (let i = 0; i < 3_000; i++) {
      const value = new Maker(seed * 1_000_003 + i).value(5)
      const expected = structuredClone(value)
      const actual = loads(dumps(value))
      if (!sameGraph(expected, actual, new Map())) {
        expect(actual, `value ${i} of seed ${seed}`).toStrictEqual(expected)
        expect.fail(`value ${i} of seed ${seed} has other identities or orders`)
      }
    }
  },
)
