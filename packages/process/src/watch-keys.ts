/**
 * Keys for the addon's death watch, which has one table for all threads of the process.
 *
 * Threads start at different places so that they rarely meet; where two do, the later watch
 * replaces the earlier one, and that death is noticed by the event loop instead.
 *
 * @module
 */
import { MAX_AGENTS } from '@mp/shared-memory/internal'
import { threadId } from 'node:worker_threads'

const taken = new Set<number>()
const start = (threadId * 61) % MAX_AGENTS

export function takeWatchKey(): number {
  for (let n = 0; n < MAX_AGENTS; n++) {
    const key = (start + n) % MAX_AGENTS
    if (taken.has(key)) continue
    taken.add(key)
    return key
  }
  return start
}

export function freeWatchKey(key: number): void {
  taken.delete(key)
}
