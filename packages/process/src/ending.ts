/**
 * The end of a child, as its parent sees it: noticed by the event loop, or by looking.
 *
 * Whoever notices first calls `finish`; it frees what the child leaves and tells those who wait.
 *
 * @module
 */
import {
  MultiprocessingError,
  PENDING,
  WaitSet,
  type Waitable,
  deadlineAfter,
  session,
} from '@mp/shared-memory/internal'
import { announce } from './events.js'
import { forgetGrace, killNow, untilKill } from './grace.js'
import type { Running } from './running.js'
import { RECORD, letGoOfRecord } from './start-record.js'
import { type ProcessState, children, current } from './state.js'

type Started = ProcessState & { running: Running }

/** Looks, without waiting: the exit code, or null while it runs. */
export function look(state: Started): number | null {
  if (state.exitCode !== null) return state.exitCode
  const exitCode = state.running.poll(false)
  if (exitCode !== null) finish(state, exitCode)
  return exitCode
}

/** Records that it has ended. Only the first call counts. */
export function finish(state: ProcessState, exitCode: number): void {
  if (state.exitCode !== null) return
  state.exitCode = exitCode
  forgetGrace(state)
  if (children.delete(state) && current.parent === undefined)
    session().native.tellInterrupt?.(false)
  state.running?.release()
  const { reaper } = session()
  // What it died without having received has never arrived.
  state.undelivered?.(true)
  state.undelivered = undefined
  if (state.record !== undefined) letGoOfRecord(session(), state.record)
  state.record = undefined
  // Its locks go to those who wait for them now, not when somebody happens to look.
  reaper.reapAll()
  for (const listener of state.listeners) queueMicrotask(listener)
  state.listeners.clear()
  tellEnd(state, exitCode)
}

function tellEnd({ name, running }: ProcessState, exitCode: number): void {
  const pid = running?.pid ?? 0
  if (exitCode < 0) announce('mp:process:death', () => ({ name, pid, signal: -exitCode }))
  announce('mp:process:exit', () => ({ name, pid, exitCode }))
}

/** Calls back once it has ended; the event loop stays alive for it when `keepAlive`. Returns what takes that back. */
export function listen(state: Started, keepAlive: boolean, listener: () => void): () => void {
  let wanted = true
  const own = (): void => {
    if (wanted) listener()
  }
  if (state.exitCode === null) {
    state.listeners.add(own)
    if (keepAlive && ++state.waiting === 1) state.running.ref()
  } else {
    queueMicrotask(own)
  }
  return () => {
    wanted = false
    if (!state.listeners.delete(own)) return
    if (keepAlive && --state.waiting === 0 && state.daemon) state.running.unref()
  }
}

/** Waits as a promise; gives null after `timeoutMs`, rejects with the signal's reason. */
export function waitForEnd(
  state: Started,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    const leave = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      unlisten()
    }
    const unlisten = listen(state, true, () => {
      leave()
      resolve(state.exitCode)
    })
    const onAbort = (): void => {
      leave()
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    const expire = (left: number): void => {
      // setTimeout holds 31 bits; longer waits take several.
      timer = setTimeout(
        () => {
          if (left > MAX_TIMER_MS) return expire(left - MAX_TIMER_MS)
          leave()
          resolve(null)
        },
        Math.min(left, MAX_TIMER_MS),
      )
    }
    if (timeoutMs !== Infinity) expire(timeoutMs)
  })
}

const MAX_TIMER_MS = 0x7fffffff

/**
 * Blocks this thread until it has ended, at most `timeoutMs`.
 *
 * Sleeps on the agent's bell, which any death rings: so the waits that this thread had begun
 * asynchronously leave their queues for as long as it cannot serve them.
 */
export function blockUntilEnd(state: Started, timeoutMs: number): number | null {
  const seen = look(state) ?? state.running.poll(true)
  if (seen !== null) finish(state, seen)
  const waitable = endOf(state)
  if (seen !== null || waitable === undefined) return state.exitCode
  const { agent, waiting } = session()
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const left = deadline - performance.now()
    const wait = Math.min(left, untilKill(state))
    const exitCode = waiting.block(waitable, deadlineAfter(agent, wait))
    if (exitCode !== PENDING) {
      finish(state, exitCode)
      return state.exitCode
    }
    if (wait >= left) return null
    // Its timer cannot run while we block.
    killNow(state)
  }
}

/** A blocking wait for its end, which gives the exit code; undefined once its record is freed. */
export function endOf(state: Started): Waitable<number> | undefined {
  if (state.record === undefined) return undefined
  return {
    set: new WaitSet(session().agent, state.record.base + RECORD.waiters),
    // Not `look`: it would free the record, and with it the set that we stand in.
    attempt: () => state.running.poll(true) ?? PENDING,
    available: () => false,
  }
}

/** Throws when it still runs. */
export function assertEnded(state: Started): void {
  if (look(state) === null) {
    throw new MultiprocessingError(
      'ERR_MP_ALIVE',
      `Cannot close ${state.name} while it runs; join() or terminate() it first`,
    )
  }
}
