/**
 * The time that a child has between being asked to end and being killed.
 *
 * A timer of the event loop, or whoever blocks it until the child's end, sends the second signal: so
 * a child that ignores the first does not make those hang who asked.
 *
 * @module
 */
import { outOfRange, wrongType } from '@mp/shared-memory/internal'
import { constants } from 'node:os'
import type { Running } from './running.js'
import type { ProcessState } from './state.js'

/** Options of `terminate()`. */
export interface TerminateOptions {
  /**
   * Milliseconds that the child has for its own SIGTERM handlers until it is killed; Infinity: it is not killed.
   *
   * @default 5000
   */
  grace?: number | undefined
}

const GRACE_MS = 5_000
/** What a timer can hold; whoever wants more wants for ever. */
const MAX_GRACE_MS = 0x7fffffff

type Started = ProcessState & { running: Running }

/** Throws TypeError or RangeError unless it is a grace. */
export function checkGrace({ grace = GRACE_MS }: TerminateOptions = {}): number {
  if (typeof grace !== 'number') throw wrongType('grace', 'a number of milliseconds', grace)
  if (!(grace >= 0)) throw outOfRange('grace', 'a number of milliseconds, 0 or more', grace)
  return grace
}

/** Has the child killed when it still runs after its grace; the earliest of several requests counts. */
export function killLater(state: Started, graceMs: number): void {
  if (state.exitCode !== null || graceMs > MAX_GRACE_MS) return
  const at = performance.now() + graceMs
  if (state.killAt !== undefined && state.killAt <= at) return
  clearTimeout(state.killTimer)
  state.killAt = at
  state.killTimer = setTimeout(killNow, graceMs, state).unref()
}

/** How long one may block until a look at the clock is due. */
export function untilKill({ killAt }: ProcessState): number {
  return killAt === undefined ? Infinity : Math.max(0, killAt - performance.now())
}

/** Kills a child whose grace is over. */
export function killNow(state: Started): void {
  forgetGrace(state)
  if (state.exitCode === null) state.running.signal(constants.signals.SIGKILL)
}

/** For a child that has ended. */
export function forgetGrace(state: ProcessState): void {
  clearTimeout(state.killTimer)
  state.killTimer = undefined
  state.killAt = undefined
}
