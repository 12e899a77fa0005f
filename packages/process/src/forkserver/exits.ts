/**
 * The ends of forks, told from the event loop: they are children of this process that libuv does not know.
 *
 * @module
 */
import type { Native } from '@mp/shared-memory/internal'

/** How often to look where pidfds cannot be had, or have told too early. */
const LOOK_MS = 50

const listeners = new Map<number, () => void>()
const loud = new Set<number>()
let timer: NodeJS.Timeout | undefined

/** Calls back once when the child has ended, or again and again until it is forgotten. Keeps the event loop alive. */
export function listenForExit(native: Native, pid: number, listener: () => void): void {
  native.exitsStart(tell)
  listeners.set(pid, listener)
  holdLoop(native, pid, true)
  if (!isWatched(native, pid)) lookOften()
}

/**
 * SYNC: a pidfd tells of an end that the parent cannot see yet while a tracer (strace, a debugger) has not waited for
 * the child; and it tells once.
 */
function tell(pid: number): void {
  listeners.get(pid)?.()
  if (listeners.has(pid)) lookOften()
}

function lookOften(): void {
  timer ??= setInterval(lookAtAll, LOOK_MS).unref()
  if (loud.size > 0) timer.ref()
}

/** Says whether a child keeps the event loop alive. */
export function holdLoop(native: Native, pid: number, holds: boolean): void {
  if (holds) loud.add(pid)
  else loud.delete(pid)
  if (loud.size > 0) {
    native.exitsRef()
    timer?.ref()
  } else {
    native.exitsUnref()
    timer?.unref()
  }
}

/** Nobody asks any more. */
export function forgetExit(native: Native, pid: number): void {
  listeners.delete(pid)
  holdLoop(native, pid, false)
  if (listeners.size > 0) return
  clearInterval(timer)
  timer = undefined
}

function isWatched(native: Native, pid: number): boolean {
  try {
    return native.exitsWatch(pid)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM') return false
    // Dead already, and not waited for: it cannot be otherwise, so it is there to be looked at.
    if (code === 'ESRCH') return false
    throw error
  }
}

function lookAtAll(): void {
  for (const listener of listeners.values()) listener()
}
