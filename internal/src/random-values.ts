/**
 * Random items, and a mark of each to compare by: a comparison byte by byte would take most of the time.
 *
 * @module
 */
import type { Random } from './random.js'

/** Where pages and kinds of messages meet. */
const EDGES = [0, 1, 63, 64, 65, 16_376, 16_384, 16_392, 65_520, 65_536, 65_544]

/** A length from 0 to some 300 KiB; mostly short, often near an edge. */
export function randomLength(random: Random): number {
  const at = random.next()
  if (at < 0.7) return random.integer(0, 200)
  if (at < 0.85) return random.integer(0, 20_000)
  if (at < 0.97) return Math.max(0, random.pick(EDGES) + random.integer(-12, 12))
  return random.integer(0, 300_000)
}

/** A value that says by itself whether it is whole; it has `n` in it. */
export function randomItem(random: Random, n: number): unknown {
  const length = randomLength(random)
  switch (random.integer(0, 4)) {
    case 0:
      return n
    case 1:
      return `${n}:${'é'.repeat(length >>> 1)}`
    case 2:
      return [n, new Uint8Array(length).fill(n)]
    case 3:
      return { n, text: 'x'.repeat(length), nothing: null, missing: undefined, zero: -0 }
    default:
      return [n, new Float64Array(length >>> 3).fill(n / 3), new Map([[n, new Set([n])]])]
  }
}

/** Says what a value is in a few characters, and whether it is whole. */
export function markOf(value: unknown): string {
  if (typeof value === 'number') return `${value}`
  if (typeof value === 'string') {
    const [n, text = ''] = value.split(':')
    return `${n} é${/^é*$/.test(text) ? text.length : 'torn'}`
  }
  if (Array.isArray(value)) {
    const [n, array, map] = value as [number, Uint8Array | Float64Array, Map<number, unknown>?]
    const isWhole = array.every((one) => one === array[0])
    return `${n} ${array.constructor.name} ${isWhole ? array.length : 'torn'} ${array[0]} ${map?.size}`
  }
  const { n, text, zero, ...rest } = value as { n: number; text: string; zero: number }
  const length = /^x*$/.test(text) ? text.length : 'torn'
  return `${n} x${length} ${Object.is(zero, -0)} ${Object.keys(rest).join()}`
}
