/**
 * What the other `@mp` packages build on. Not for users: no promise of stability.
 *
 * @module
 */
import { isDead, session } from '@mp/shared-memory/internal'
import { listen } from './ending.js'
import type { StartMethod } from './options.js'
import type { Process } from './process.js'
import { awaitForkserver } from './start-forkserver.js'
import { getAllStartMethods, getStartMethod } from './start-method.js'
import { RECORD } from './start-record.js'
import { current, startedState } from './state.js'

export { extendContext } from './context.js'
export { cgroupLimit } from './cpu-count.js'
export { inheritedExecArgv } from './exec-argv.js'
export { checkStartMethod } from './start-method.js'

/**
 * Does in advance what `start()` of a plain process would have to wait for, and calls back from the event loop, once, when
 * that is done. Does not keep the event loop alive.
 *
 * @returns false where there is nothing to wait for, or where `start()` has to say what is wrong; nobody calls back then.
 */
export function prepareStart(startMethod: StartMethod | undefined, callback: () => void): boolean {
  if ((startMethod ?? getStartMethod()) !== 'forkserver' || current.state.daemon) return false
  if (!getAllStartMethods().includes('forkserver')) return false
  return awaitForkserver(session(), callback)
}

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
