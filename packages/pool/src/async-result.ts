/**
 * The result of a task that was given to a pool without waiting.
 *
 * @module
 */
import {
  MultiprocessingError,
  TimeoutError,
  type WaitOptions,
  checkWaitOptions,
} from '@mp/shared-memory/internal'
import { CallSite } from './call-site.js'

/** Thrown by `successful()` before there is a result. */
export class NotReadyError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_NOT_READY', 'The result is not ready')
  }
}

/**
 * A result to come. It can be awaited like a promise.
 *
 * As in Python, an error that nobody asks for is not reported: it is thrown by `get()` and by `await`.
 */
export class AsyncResult<R> implements PromiseLike<R> {
  #state: 'pending' | 'fulfilled' | 'rejected' = 'pending'
  #outcome: unknown
  /** Made when somebody asks; most tasks of a burst are settled before. */
  #promise: Promise<R> | undefined
  #settle: { resolve: (value: never) => void; reject: (error: unknown) => void } | undefined

  /** Made by a pool. @internal */
  constructor(promise?: Promise<R>) {
    promise?.then(
      (value) => this.resolve(value),
      (error: unknown) => this.reject(error),
    )
  }

  /** Those who wait are promises. @internal */
  get isQuiet(): boolean {
    return true
  }

  /** Called by the pool. @internal */
  resolve(value: unknown): void {
    if (this.#state !== 'pending') return
    this.#state = 'fulfilled'
    this.#outcome = value
    this.#settle?.resolve(value as never)
  }

  /** Called by the pool. @internal */
  reject(error: unknown): void {
    if (this.#state !== 'pending') return
    this.#state = 'rejected'
    this.#outcome = error
    this.#settle?.reject(error)
  }

  /**
   * Waits for the result.
   *
   * @throws the task's error; TimeoutError (`ERR_MP_TIMEOUT`) when `timeout` passes first: the task goes on.
   */
  async get(options?: WaitOptions): Promise<R> {
    const site = new CallSite(this.get)
    if (!(await this.wait(options))) {
      throw new TimeoutError(`The result was not ready within ${options?.timeout} ms`)
    }
    if (this.#state === 'rejected') site.addTo(this.#outcome)
    return this.#asPromise()
  }

  /**
   * Waits until there is a result or an error.
   *
   * @returns false when `timeout` (milliseconds) passes first.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    const timeoutMs = checkWaitOptions(options)
    const signal = options?.signal
    signal?.throwIfAborted()
    if (this.ready()) return true
    if (timeoutMs <= 0) return false
    return new Promise((resolve, reject) => {
      const timer =
        timeoutMs === Infinity
          ? undefined
          : setTimeout(() => finish(false), Math.min(timeoutMs, 0x7fffffff))
      const onAbort = (): void => {
        clearTimeout(timer)
        reject(signal?.reason as Error)
      }
      const finish = (isReady: boolean): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        resolve(isReady)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      const done = (): void => finish(true)
      this.#asPromise().then(done, done)
    })
  }

  /** Whether there is a result or an error. */
  ready(): boolean {
    return this.#state !== 'pending'
  }

  /**
   * Whether the task ended without an error.
   *
   * @throws NotReadyError (`ERR_MP_NOT_READY`) before it has ended.
   */
  successful(): boolean {
    if (!this.ready()) throw new NotReadyError()
    return this.#state === 'fulfilled'
  }

  // oxlint-disable-next-line unicorn/no-thenable -- being awaited is what it is for
  then<A = R, B = never>(
    onFulfilled?: ((value: R) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    // Many ask when all is done: then no promise is kept.
    if (this.#state === 'fulfilled')
      return Promise.resolve(this.#outcome as R).then(onFulfilled, onRejected)
    return this.#asPromise().then(onFulfilled, onRejected)
  }

  /** A promise for somebody who handles it. */
  #asPromise(): Promise<R> {
    if (this.#promise !== undefined) return this.#promise
    this.#promise = new Promise((resolve, reject) => {
      if (this.#state === 'fulfilled') resolve(this.#outcome as R)
      else if (this.#state === 'rejected') reject(this.#outcome)
      else this.#settle = { resolve, reject }
    })
    return this.#promise
  }
}
