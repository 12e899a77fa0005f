/**
 * Waiting for several things at once.
 *
 * @module
 */
import {
  type WaitOptions,
  checkWaitOptions,
  throwIfAborted,
  wrongType,
} from '@mp/shared-memory/internal'
import { type Sentinel, sentinelOf } from './sentinel.js'

/**
 * Waits until at least one of the things is ready: a connection with something to receive (or the end of file), a
 * process that has ended.
 *
 * @returns those that are ready, in the order given; none when `timeout` (milliseconds) passes first.
 */
export async function wait<W>(things: Iterable<W>, options?: WaitOptions): Promise<W[]> {
  const timeoutMs = checkWaitOptions(options)
  throwIfAborted(options)
  const all = [...checkIterable(things)].map((thing) => ({ thing, sentinel: checkSentinel(thing) }))
  const ready = (): W[] => all.filter(({ sentinel }) => sentinel.ready()).map(({ thing }) => thing)
  const now = ready()
  if (now.length > 0 || all.length === 0 || timeoutMs <= 0) return now
  await firstReady(
    all.map(({ sentinel }) => sentinel),
    timeoutMs,
    options?.signal,
  )
  return ready()
}

function firstReady(
  sentinels: readonly Sentinel[],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { promise, resolve, reject } = withResolvers()
  const onAbort = (): void => reject(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer =
    timeoutMs === Infinity ? undefined : setTimeout(resolve, Math.min(timeoutMs, MAX_TIMER_MS))
  const cancels = sentinels.map((sentinel) => sentinel.onReady(resolve))
  return promise.finally(() => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    for (const cancel of cancels) cancel()
  })
}

const MAX_TIMER_MS = 0x7fffffff

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers(): {
  promise: Promise<void>
  resolve: () => void
  reject: (reason: unknown) => void
} {
  let resolve!: () => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

function checkIterable<W>(things: Iterable<W>): Iterable<W> {
  if (
    typeof (things as Partial<Iterable<W>> | null | undefined)?.[Symbol.iterator] !== 'function'
  ) {
    throw wrongType('things', 'an iterable of connections and processes', things)
  }
  return things
}

function checkSentinel(thing: unknown): Sentinel {
  const sentinel = sentinelOf(thing)
  if (sentinel === undefined) throw wrongType('things', 'connections and processes', thing)
  return sentinel
}
