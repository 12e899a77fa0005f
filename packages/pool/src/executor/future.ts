/**
 * A call that was given to an executor; Python's `concurrent.futures.Future`.
 *
 * @module
 */
import { AsyncResource } from 'node:async_hooks'
import {
  TimeoutError,
  type WaitOptions,
  checkWaitOptions,
  throwIfAborted,
} from '@mp/shared-memory/internal'
import { CallSite } from '../call-site.js'
import { isCancellation, makeCancellation } from './cancelled-error.js'
import { Eventual } from '../eventual.js'
import { checkFunction } from '../options.js'
import type { Task } from '../task.js'

/** What a future needs of its pool. */
export interface FuturePool {
  /** Settles a task with an error unless a worker has started it; tells whether it did. */
  withdraw(task: Task, error: unknown): boolean
  /** Whether a worker has started it, and it is not settled. */
  isRunning(task: Task): boolean
  /** Blocks this thread until that is so. */
  waitSync(isSettled: () => boolean): void
}

/** Called when a future is done. */
export type DoneCallback<R> = (future: Future<R>) => unknown

/**
 * A call on its way. It can be awaited like a promise.
 *
 * As in Python, an error that nobody asks for is not reported: it is thrown by `result()` and by `await`.
 */
export class Future<R> extends Eventual<R> {
  readonly #pool: FuturePool
  /** Undefined once it is done. */
  #task: Task | undefined
  /** In the order in which they are called. */
  #callbacks: Set<() => void> | undefined

  /** Made by an executor. @internal */
  constructor(pool: FuturePool) {
    super()
    this.#pool = pool
  }

  /** What it is the result of; called once, before anybody else has the future. @internal */
  follow(task: Task): void {
    if (!task.isSettled) this.#task = task
  }

  /** Called by the pool. @internal */
  override resolve(value: unknown): void {
    super.resolve(value)
    this.#finish()
  }

  /** Called by the pool. @internal */
  override reject(error: unknown): void {
    super.reject(error)
    this.#finish()
  }

  /**
   * Waits for the result.
   *
   * @throws the function's error; CancelledError when it was cancelled; WorkerLostError when its worker died;
   * TimeoutError (`ERR_MP_TIMEOUT`) when `timeout` (milliseconds) passes first: the call goes on.
   */
  async result(options?: WaitOptions): Promise<R> {
    const site = new CallSite(this.result)
    if (!(await this.wait(options))) throw timeoutOf(options)
    return this.give(site)
  }

  /** `result`, blocking this thread. */
  resultSync(options?: WaitOptions): R {
    const site = new CallSite(this.resultSync)
    this.#waitSync(options)
    return this.give(site)
  }

  /**
   * Waits until the call is done.
   *
   * @returns what it threw, or null.
   * @throws CancelledError and TimeoutError as `result` does.
   */
  async exception(options?: WaitOptions): Promise<unknown> {
    if (!(await this.wait(options))) throw timeoutOf(options)
    return this.#exception()
  }

  /** `exception`, blocking this thread. */
  exceptionSync(options?: WaitOptions): unknown {
    this.#waitSync(options)
    return this.#exception()
  }

  /**
   * Keeps the call from starting.
   *
   * @returns whether it is cancelled; false when a worker has started it, or it is done.
   */
  cancel(): boolean {
    if (this.#task !== undefined) this.#pool.withdraw(this.#task, makeCancellation())
    return this.cancelled()
  }

  /** Whether it was cancelled. */
  cancelled(): boolean {
    return this.state === 'rejected' && isCancellation(this.outcome)
  }

  /** Whether it has an error, and was not cancelled. @internal */
  hasFailed(): boolean {
    return this.state === 'rejected' && !isCancellation(this.outcome)
  }

  /** Whether a worker is at it: it can not be cancelled any more. */
  running(): boolean {
    return this.#task !== undefined && this.#pool.isRunning(this.#task)
  }

  /** Whether it has a result or an error, or was cancelled. */
  done(): boolean {
    return this.state !== 'pending'
  }

  /**
   * Calls `fn` with this future when it is done, or at once if it is; several in the order in which they were added, each
   * in the async context of its `addDoneCallback`.
   *
   * What `fn` throws is reported as a warning of the process (`MP_FUTURE_CALLBACK`) and disturbs nobody else.
   */
  addDoneCallback(fn: DoneCallback<R>): void {
    checkFunction('fn', fn)
    if (this.done()) return call(fn, this)
    this.listen(AsyncResource.bind(() => call(fn, this)))
  }

  /** Calls back once when it is done, which it is not yet. Returns what takes that back. @internal */
  listen(callback: () => void): () => void {
    this.#callbacks ??= new Set()
    this.#callbacks.add(callback)
    return () => this.#callbacks?.delete(callback)
  }

  #finish(): void {
    this.#task = undefined
    const callbacks = this.#callbacks
    this.#callbacks = undefined
    if (callbacks !== undefined) for (const callback of callbacks) callback()
  }

  #exception(): unknown {
    if (this.cancelled()) throw this.outcome
    return this.state === 'rejected' ? this.outcome : null
  }

  #waitSync(options: WaitOptions | undefined): void {
    const timeoutMs = checkWaitOptions(options)
    throwIfAborted(options)
    const end = performance.now() + timeoutMs
    const isOver = (): boolean => this.done() || performance.now() >= end
    if (!isOver()) this.#pool.waitSync(isOver)
    if (!this.done()) throw timeoutOf(options)
  }
}

function timeoutOf(options: WaitOptions | undefined): TimeoutError {
  return new TimeoutError(`The call was not done within ${options?.timeout} ms`)
}

/** One callback that fails keeps no other from its call. */
function call<R>(fn: DoneCallback<R>, future: Future<R>): void {
  try {
    const later = fn(future)
    if (later instanceof Promise) later.catch(warn)
  } catch (error) {
    warn(error)
  }
}

function warn(error: unknown): void {
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.emitWarning(`A callback of a Future threw: ${told}`, { code: 'MP_FUTURE_CALLBACK' })
}
