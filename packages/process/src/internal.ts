/**
 * What the other `@mp` packages build on. Not for users: no promise of stability.
 *
 * @module
 */
import { isDead, session } from '@mp/shared-memory/internal'
import { listen } from './ending.js'
import type { Process } from './process.js'
import { RECORD } from './start-record.js'
import { startedState } from './state.js'

export { extendContext } from './context.js'
export { cgroupLimit } from './cpu-count.js'
export { inheritedExecArgv } from './exec-argv.js'
export { checkStartMethod } from './start-method.js'

/** Calls back once, when the process has ended, without keeping the event loop alive. Returns what takes that back. */
export function onExit(process: Process<never>, callback: () => void): () => void {
  return listen(startedState(process, 'watch'), false, callback)
}

/** The tag of the child in the session; 0 before it has joined and after it has ended. */
export function childTag(process: Process<never>): number {
  const { record } = startedState(process, 'look at')
  if (record === undefined) return 0
  const { words } = session()
  const tag = Atomics.load(words, record.base + RECORD.child)
  return tag === 0 || isDead(words, tag) ? 0 : tag
}
