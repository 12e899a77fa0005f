/**
 * The end of a parent: it terminates its daemons, then waits for its other children.
 *
 * In a normal end the event loop has waited already; this is also for `process.exit()` and
 * uncaught errors. After `_exit_function` in CPython's `multiprocessing/util.py`.
 *
 * @module
 */
import { constants } from 'node:os'
import { blockUntilEnd, look } from './ending.js'
import type { Running } from './running.js'
import { type ProcessState, children } from './state.js'
import { showUncaughtErrors } from './uncaught.js'

/** How long daemons have for their SIGTERM handlers. */
const GRACE_MS = 500

type Started = ProcessState & { running: Running }

let installed = false

/** Makes this agent care for its children when it exits; called with the first of them. */
export function endChildrenAtExit(): void {
  if (installed) return
  installed = true
  process.on('exit', endChildren)
  showUncaughtErrors()
}

function endChildren(): void {
  const daemons = running(true)
  for (const daemon of daemons) daemon.running.signal(constants.signals.SIGTERM)
  const end = performance.now() + GRACE_MS
  for (const daemon of daemons) blockUntilEnd(daemon, end - performance.now())
  for (const daemon of running(true)) {
    daemon.running.signal(constants.signals.SIGKILL)
    blockUntilEnd(daemon, GRACE_MS)
  }
  for (const child of running(false)) {
    // Nobody reads them any more, and a child that waits for that would never end.
    child.running.stdout?.destroy()
    child.running.stderr?.destroy()
    child.running.stdin?.destroy()
    blockUntilEnd(child, Infinity)
  }
}

function running(daemon: boolean): Started[] {
  return [...children.keys()].filter(
    (state): state is Started =>
      state.daemon === daemon && state.running !== undefined && look(state as Started) === null,
  )
}
