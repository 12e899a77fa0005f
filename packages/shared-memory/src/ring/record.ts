/**
 * Small sums and copies of a message ring.
 *
 * @module
 */
import { RECORD_HEADER } from './layout.js'

/** What a claim word holds for a message number: never 0. */
export function claimOf(number: number): number {
  return (number + 1) | 0
}

/** The commit word after `count` more messages: the other position is valid now. */
export function advance(word: number, count: number): number {
  return (((word >>> 1) + count) << 1) | (1 - (word & 1)) | 0
}

/** Bytes that a record takes with its header and padding. */
export function recordBytes(length: number): number {
  return RECORD_HEADER + ((length + 7) & ~7)
}

/** Copies few bytes one by one: cheaper than making a view. */
export function copyOut(from: Uint8Array, start: number, length: number, to: Uint8Array): void {
  if (length > 64) to.set(from.subarray(start, start + length))
  else for (let i = 0; i < length; i++) to[i] = from[start + i]
}
