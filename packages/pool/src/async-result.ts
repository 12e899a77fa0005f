/**
 * The result of a task that was given to a pool without waiting.
 *
 * @module
 */
import { MultiprocessingError, TimeoutError, type WaitOptions } from '@mp/shared-memory/internal'
import { CallSite } from './call-site.js'
import { Eventual } from './eventual.js'

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
export class AsyncResult<R> extends Eventual<R> {
  /** Made by a pool. @internal */
  constructor(promise?: Promise<R>) {
    super()
    promise?.then(
      (value) => this.resolve(value),
      (error: unknown) => this.reject(error),
    )
  }

  /** Those who wait are promises. @internal */
  get isQuiet(): boolean {
    return true
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
    return this.give(site)
  }

  /** Whether there is a result or an error. */
  ready(): boolean {
    return this.state !== 'pending'
  }

  /**
   * Whether the task ended without an error.
   *
   * @throws NotReadyError (`ERR_MP_NOT_READY`) before it has ended.
   */
  successful(): boolean {
    if (!this.ready()) throw new NotReadyError()
    return this.state === 'fulfilled'
  }
}
