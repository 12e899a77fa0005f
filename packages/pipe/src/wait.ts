/**
 * Waiting for several things at once.
 *
 * @module
 */
import {
  type Sentinel,
  type WaitOptions,
  anyOf,
  checkWaitOptions,
  deadlineAfter,
  sentinelOf,
  session,
  throwIfAborted,
  wrongType,
} from '@mp/shared-memory/internal'

/** How often a blocked thread asks what nobody would wake it for. */
const RECHECK_MS = 5
const MAX_TIMER_MS = 0x7fffffff

/**
 * Waits until at least one of the things is ready: to use it would not block.
 *
 * That is a connection with something to receive (or the end of file), a process that has ended, a queue with an item
 * (or shut down and drained), an event that is set, or has been since the call. Nothing is taken from any: whoever else
 * receives from them may be faster than the caller.
 *
 * @returns those that are ready, in the order given; none when `timeout` (milliseconds) passes first.
 * @example
 * const ready = await wait([connection, queue, child, stop], { timeout: 1000 })
 * if (ready.includes(stop)) break
 */
export async function wait<W>(things: Iterable<W>, options?: WaitOptions): Promise<W[]> {
  const timeoutMs = checkWaitOptions(options)
  throwIfAborted(options)
  const all = checkThings(things)
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const ready = whichReady(all)
    const left = deadline - performance.now()
    if (ready.length > 0 || all.length === 0 || left <= 0) return ready
    await firstReady(all, left, options?.signal)
  }
}

/** `wait`, blocking this thread. */
export function waitSync<W>(things: Iterable<W>, options?: WaitOptions): W[] {
  const timeoutMs = checkWaitOptions(options)
  throwIfAborted(options)
  const all = checkThings(things)
  const { waiting, agent } = session()
  const deadline = deadlineAfter(agent, timeoutMs)
  for (;;) {
    const ready = whichReady(all)
    if (ready.length > 0 || all.length === 0 || agent.platform.now() >= deadline) return ready
    const waitables = all.flatMap(({ sentinel }) => sentinel.waitable?.() ?? [])
    const isPolling = waitables.length < all.length
    const any = anyOf(agent, waitables)
    waiting.block(any, isPolling ? Math.min(deadline, agent.platform.now() + RECHECK_MS) : deadline)
  }
}

interface Awaited<W> {
  readonly thing: W
  readonly sentinel: Sentinel
}

function whichReady<W>(all: readonly Awaited<W>[]): W[] {
  const now = (): W[] => all.filter(({ sentinel }) => sentinel.ready()).map(({ thing }) => thing)
  const ready = now()
  // Who does not wait may ask again and again, and nobody else may take care of the dead.
  return ready.length === 0 && all.length > 0 && session().waiting.glance() ? now() : ready
}

/** Waits until one may be ready, or the time is over. */
function firstReady(
  all: readonly Awaited<unknown>[],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      for (const cancel of cancels) cancel()
    }
    const onReady = (): void => {
      leave()
      resolve()
    }
    const onAbort = (): void => {
      leave()
      reject(signal?.reason as Error)
    }
    const timer =
      timeoutMs === Infinity ? undefined : setTimeout(onReady, Math.min(timeoutMs, MAX_TIMER_MS))
    signal?.addEventListener('abort', onAbort, { once: true })
    const cancels = all.map(({ sentinel }) => sentinel.onReady(onReady))
  })
}

function checkThings<W>(things: Iterable<W>): Awaited<W>[] {
  if (
    typeof (things as Partial<Iterable<W>> | null | undefined)?.[Symbol.iterator] !== 'function'
  ) {
    throw wrongType('things', 'an iterable of connections, processes, queues and events', things)
  }
  return [...things].map((thing) => {
    const sentinel = sentinelOf(thing)
    if (sentinel === undefined) {
      throw wrongType('things', 'connections, processes, queues and events', thing)
    }
    return { thing, sentinel }
  })
}
