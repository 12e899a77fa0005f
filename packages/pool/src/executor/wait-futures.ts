/**
 * Waiting for several futures; Python's `concurrent.futures.wait` and `as_completed`.
 *
 * @module
 */
import {
  TimeoutError,
  type WaitOptions,
  checkWaitOptions,
  throwIfAborted,
  wrongType,
} from '@mp/shared-memory/internal'
import { sleepUntil } from '../sleep-until.js'
import { Future } from './future.js'

/** When any future is done or cancelled. */
export const FIRST_COMPLETED = 'FIRST_COMPLETED'
/** When any future has failed; when none fails, when all are done. */
export const FIRST_EXCEPTION = 'FIRST_EXCEPTION'
/** When all futures are done or cancelled. */
export const ALL_COMPLETED = 'ALL_COMPLETED'

/** When `waitFutures` returns. */
export type ReturnWhen = typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION | typeof ALL_COMPLETED

/** Options of `waitFutures`. */
export interface WaitFuturesOptions extends WaitOptions {
  /** @default 'ALL_COMPLETED' */
  returnWhen?: ReturnWhen | undefined
}

/** What `waitFutures` gives. */
export interface DoneAndNotDone<F> {
  /** Those that are done or cancelled. */
  readonly done: Set<F>
  /** The others. */
  readonly notDone: Set<F>
}

/**
 * A future that `asCompleted` gives: the same object. TypeScript takes what `for await` gives for awaited already, so its
 * type is not that of a promise: ask for its `result()`.
 */
export type DoneFuture<F> = F & { readonly then: never }

type AnyFuture = Future<unknown>

/**
 * Waits for futures, also of several executors; Python's `concurrent.futures.wait`, by another name because `wait` is that
 * of connections.
 *
 * @returns which are done. When `timeout` (milliseconds) passes first, it does not throw.
 */
export async function waitFutures<F extends AnyFuture>(
  futures: Iterable<F>,
  options?: WaitFuturesOptions,
): Promise<DoneAndNotDone<F>> {
  const all = checkFutures(futures)
  const returnWhen = checkReturnWhen(options?.returnWhen)
  const timeoutMs = checkWaitOptions(options)
  throwIfAborted(options)
  const done = new Set<F>()
  const notDone = new Set<F>(all)
  let hasFailed = false
  const note = (future: F): void => {
    notDone.delete(future)
    done.add(future)
    if (future.hasFailed()) hasFailed = true
  }
  const isEnough = (): boolean =>
    notDone.size === 0 ||
    (returnWhen === FIRST_COMPLETED && done.size > 0) ||
    (returnWhen === FIRST_EXCEPTION && hasFailed)
  for (const future of all) if (future.done()) note(future)
  if (!isEnough() && timeoutMs > 0) {
    const forget: (() => void)[] = []
    try {
      await sleepUntil(timeoutMs, options?.signal, (wake) => {
        for (const future of notDone) {
          forget.push(
            future.listen(() => {
              note(future)
              if (isEnough()) wake()
            }),
          )
        }
      })
    } finally {
      for (const stop of forget) stop()
    }
  }
  return { done, notDone }
}

/**
 * Gives futures as they get done, those first that are already; each once. Python's `as_completed`.
 *
 * The futures themselves come, also those that failed or were cancelled: `future.result()` then throws.
 *
 * @throws TimeoutError when the next is not done `timeout` milliseconds after the call of `asCompleted`.
 * @example
 * for await (const future of asCompleted(futures)) console.log(await future.result())
 */
export function asCompleted<F extends AnyFuture>(
  futures: Iterable<F>,
  options?: WaitOptions,
): AsyncIterableIterator<DoneFuture<F>, undefined> {
  const all = checkFutures(futures)
  const timeoutMs = checkWaitOptions(options)
  throwIfAborted(options)
  return new Completed(all, timeoutMs, options)
}

/** No generator: that would wait for each future and give its result. */
class Completed<F extends AnyFuture> implements AsyncIterableIterator<DoneFuture<F>, undefined> {
  readonly #pending = new Set<F>()
  readonly #done: (F | undefined)[] = []
  /** How many of them have been given. */
  #given = 0
  readonly #options: WaitOptions | undefined
  readonly #timeoutMs: number
  readonly #end: number
  readonly #forget: (() => void)[] = []
  #wake: (() => void) | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(all: Set<F>, timeoutMs: number, options: WaitOptions | undefined) {
    this.#timeoutMs = timeoutMs
    this.#end = performance.now() + timeoutMs
    this.#options = options
    for (const future of all) {
      if (future.done()) {
        this.#done.push(future)
        continue
      }
      this.#pending.add(future)
      const forget = future.listen(() => {
        this.#pending.delete(future)
        this.#done.push(future)
        this.#wake?.()
      })
      this.#forget.push(forget)
    }
  }

  next(): Promise<IteratorResult<DoneFuture<F>, undefined>> {
    // One after the other, whoever asks.
    const next = this.#last.then(() => this.#next())
    this.#last = next.catch(() => {})
    return next
  }

  async return(): Promise<IteratorResult<DoneFuture<F>, undefined>> {
    for (const forget of this.#forget.splice(0)) forget()
    this.#pending.clear()
    this.#given = this.#done.length
    this.#wake?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #next(): Promise<IteratorResult<DoneFuture<F>, undefined>> {
    if (this.#given === this.#done.length && this.#pending.size > 0) {
      const leftMs = this.#end - performance.now()
      const isInTime = leftMs > 0 && (await this.#wait(leftMs))
      if (!isInTime) {
        const count = this.#pending.size
        await this.return()
        throw new TimeoutError(`${count} calls were not done within ${this.#timeoutMs} ms`)
      }
    }
    const future = this.#done[this.#given]
    if (future === undefined) return { done: true, value: undefined }
    // Who has got it may let go of it.
    this.#done[this.#given++] = undefined
    return { done: false, value: future as DoneFuture<F> }
  }

  async #wait(leftMs: number): Promise<boolean> {
    try {
      return await sleepUntil(leftMs, this.#options?.signal, (wake) => {
        this.#wake = wake
      })
    } catch (error) {
      await this.return()
      throw error
    } finally {
      this.#wake = undefined
    }
  }
}

function checkFutures<F extends AnyFuture>(futures: Iterable<F>): Set<F> {
  if (typeof (futures as Partial<Iterable<F>> | null)?.[Symbol.iterator] !== 'function') {
    throw wrongType('futures', 'an iterable of Futures', futures)
  }
  const all = new Set(futures)
  for (const future of all) {
    if (!(future instanceof Future)) throw wrongType('futures', 'an iterable of Futures', future)
  }
  return all
}

function checkReturnWhen(returnWhen: ReturnWhen = ALL_COMPLETED): ReturnWhen {
  if ([FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED].includes(returnWhen)) return returnWhen
  const allowed = `'${FIRST_COMPLETED}', '${FIRST_EXCEPTION}' or '${ALL_COMPLETED}'`
  throw wrongType('returnWhen', allowed, returnWhen)
}
