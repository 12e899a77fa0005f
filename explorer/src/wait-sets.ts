/**
 * Where the wait sets of an object are.
 *
 * @module
 */
import { ENTRY } from '@mp/shared-memory/internal'
import type { Host } from './host.js'

declare const host: Host

/** First word and number of the wait sets of the object with that directory entry. */
export function waitSets(entry: number): { sets: number; count: number } {
  const packed = Atomics.load(host.words, entry + ENTRY.sets)
  const base = Atomics.load(host.words, entry + ENTRY.base)
  return { sets: base + (packed & 0xffff), count: packed >>> 16 }
}
