/**
 * The items of a `ShareableList` as bytes: what kind an item is, and how much room it gets.
 *
 * Python fills strings and bytes up with NULs and strips those when it reads, the
 * item's own with them. Here a length goes with the bytes, so nothing is lost.
 *
 * @module
 */
import { wrongType } from './arguments.js'

/** What a `ShareableList` can hold. */
export type Shareable = null | boolean | number | bigint | string | Uint8Array

/** Kinds of items. Part of the layout: never use a number again. */
const KIND = {
  null: 0,
  false: 1,
  true: 2,
  number: 3,
  bigint: 4,
  string: 5,
  /** A string with half a surrogate pair, which UTF-8 cannot hold: UTF-16. */
  rawString: 6,
  bytes: 7,
} as const

/** An item taken apart. */
export interface Encoded {
  readonly kind: number
  readonly bytes: Uint8Array
}

const NOTHING = new Uint8Array(0)
/** Room comes in steps of this many bytes, as in Python. */
export const STEP = 8

/** Takes an item apart; throws TypeError for what cannot be one. */
export function encodeItem(name: string, item: unknown): Encoded {
  switch (typeof item) {
    case 'boolean':
      return { kind: item ? KIND.true : KIND.false, bytes: NOTHING }
    case 'number':
      return { kind: KIND.number, bytes: new Uint8Array(Float64Array.of(item).buffer) }
    case 'bigint':
      return { kind: KIND.bigint, bytes: bytesOfBigint(item) }
    case 'string':
      return /\p{Surrogate}/u.test(item)
        ? { kind: KIND.rawString, bytes: Buffer.from(item, 'utf16le') }
        : { kind: KIND.string, bytes: Buffer.from(item, 'utf8') }
    default:
      if (item === null) return { kind: KIND.null, bytes: NOTHING }
      if (item instanceof Uint8Array) return { kind: KIND.bytes, bytes: item }
      throw wrongType(name, 'null, a boolean, number, bigint, string or Uint8Array', item)
  }
}

/** Puts an item together again. `bytes` are the item's own from now on. */
export function decodeItem({ kind, bytes }: Encoded): Shareable {
  switch (kind) {
    case KIND.null:
      return null
    case KIND.false:
      return false
    case KIND.true:
      return true
    case KIND.number:
      return new Float64Array(bytes.buffer, bytes.byteOffset, 1)[0]
    case KIND.bigint:
      return bigintOfBytes(bytes)
    case KIND.string:
      return asBuffer(bytes).toString('utf8')
    case KIND.rawString:
      return asBuffer(bytes).toString('utf16le')
    default:
      return bytes
  }
}

/** How much room an item gets: strings and bytes some more than they need, all others just enough. */
export function capacityFor({ kind, bytes }: Encoded): number {
  const { byteLength } = bytes
  if (kind >= KIND.string) return STEP * (Math.floor(byteLength / STEP) + 1)
  return Math.max(STEP, byteLength)
}

/** Whether two items are equal: bytes by what they hold, NaN to itself, the others as by `===`. */
export function isSame(a: Shareable, b: unknown): boolean {
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}

/** Two's complement, little-endian, in whole steps. */
function bytesOfBigint(value: bigint): Uint8Array {
  let words = 1
  while (BigInt.asIntN(words * 64, value) !== value) words++
  const result = new BigUint64Array(words)
  for (let i = 0; i < words; i++) result[i] = BigInt.asUintN(64, value >> BigInt(64 * i))
  return new Uint8Array(result.buffer)
}

function bigintOfBytes(bytes: Uint8Array): bigint {
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / STEP)
  let value = 0n
  for (let i = words.length - 1; i >= 0; i--) value = (value << 64n) | words[i]
  return BigInt.asIntN(bytes.byteLength * 8, value)
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
