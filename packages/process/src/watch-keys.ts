/**
 * Keys for the addon's death watch, which has one table for all threads of the process.
 *
 * Each thread has a range of its own. (Thread ids only grow: after some hundred threads ranges are used again; should
 * two living threads meet there, the later watch replaces the earlier one, and the event loop notices that death.)
 *
 * @module
 */
import { MAX_AGENTS } from '@mp/shared-memory/internal'
import { threadId } from 'node:worker_threads'

/** How many keys the addon has room for. */
const KEYS = 65_536

const taken = new Set<number>()
const start = (threadId * MAX_AGENTS) % KEYS

export function takeWatchKey(): number {
  for (let n = 0; n < MAX_AGENTS; n++) {
    const key = (start + n) % KEYS
    if (taken.has(key)) continue
    taken.add(key)
    return key
  }
  return start
}

export function freeWatchKey(key: number): void {
  taken.delete(key)
}
