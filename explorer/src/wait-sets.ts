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
  return {
    sets: Atomics.load(host.words, entry + ENTRY.sets),
    count: Atomics.load(host.words, entry + ENTRY.setCount),
  }
}
