/**
 * The shortest messages to values, by the shortest way: most results are nothing, a number, yes or no.
 *
 * @module
 */
import * as tag from './tags.js'

/** What `loadPrimitive` answers to anything else. */
export const NOT_PRIMITIVE: unique symbol = Symbol('not primitive')

const float64 = new Float64Array(1)
const float64Bytes = new Uint8Array(float64.buffer)

/**
 * Decodes a message of one primitive value that takes a fixed number of bytes; runs no code of users.
 *
 * @param start where the message begins in `bytes`.
 * @returns the value, or NOT_PRIMITIVE: then `loads` says what it is, or what is wrong with it.
 */
export function loadPrimitive(bytes: Uint8Array, start: number, byteLength: number): unknown {
  if (byteLength < 2 || bytes[start] !== tag.VERSION) return NOT_PRIMITIVE
  const first = bytes[start + 1]
  const at = start + 2
  switch (byteLength) {
    case 2:
      if (first < tag.FIXSTR) return first
      if (first === tag.UNDEFINED) return undefined
      if (first === tag.TRUE) return true
      if (first === tag.FALSE) return false
      return first === tag.NULL ? null : NOT_PRIMITIVE
    case 3:
      return first === tag.INT8 ? (bytes[at] << 24) >> 24 : NOT_PRIMITIVE
    case 4:
      return first === tag.INT16 ? ((bytes[at] | (bytes[at + 1] << 8)) << 16) >> 16 : NOT_PRIMITIVE
    case 6:
      return first === tag.INT32
        ? bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
        : NOT_PRIMITIVE
    case 10:
      if (first !== tag.FLOAT64) return NOT_PRIMITIVE
      for (let i = 0; i < 8; i++) float64Bytes[i] = bytes[at + i]
      return float64[0]
    default:
      return NOT_PRIMITIVE
  }
}
