/**
 * Memory for long messages that are received as copies.
 *
 * The engine frees it in batches. By default glibc maps each block of 128 KiB and more anew, and the kernel fills it with
 * zeros, page by page, when it is first written: ten times the cost of the copy. See `native/linux-memory.c`.
 *
 * @module
 */
import type { Native } from './native.js'

let isAsked = false

/** Has this process keep some of what is freed; called by whoever is about to copy a long message. */
export function keepFreedMemory(native: Pick<Native, 'keepFreed'>): void {
  if (isAsked) return
  isAsked = true
  native.keepFreed()
}
