/**
 * A value that comes later, or an error: what `AsyncResult` and `Future` have in common.
 *
 * A pool may have a million of them waiting, so there is little in one: a promise is made when somebody asks.
 *
 * @module
 */
import { PicklingError } from '@mp/pickle'
import {
  type Reduced,
  type WaitOptions,
  checkWaitOptions,
  reduceSymbol,
} from '@mp/shared-memory/internal'
import type { CallSite } from './call-site.js'
import { sleepUntil } from './sleep-until.js'

/** Those who wait for it, while it is pending. */
interface Waiting<R> {
  readonly promise: Promise<R>
  resolve(value: R): void
  reject(error: unknown): void
}

/** What is settled once, by a pool. As in Python, an error that nobody asks for is not reported. */
export abstract class Eventual<R> implements PromiseLike<R> {
  #state: 'pending' | 'fulfilled' | 'rejected' = 'pending'
  /** While it is pending: who waits, if anybody. Then the value or the error. */
  #held: unknown

  /** Called by the pool. @internal */
  resolve(value: unknown): void {
    this.#settle('fulfilled', value)?.resolve(value as R)
  }

  /** Called by the pool. @internal */
  reject(error: unknown): void {
    this.#settle('rejected', error)?.reject(error)
  }

  /**
   * Waits until there is a value or an error.
   *
   * @returns false when `timeout` (milliseconds) passes first.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    const timeoutMs = checkWaitOptions(options)
    const signal = options?.signal
    signal?.throwIfAborted()
    if (this.#state !== 'pending') return true
    if (timeoutMs <= 0) return false
    return sleepUntil(timeoutMs, signal, (wake) => void this.then(wake, wake))
  }

  // oxlint-disable-next-line unicorn/no-thenable -- being awaited is what it is for
  then<A = R, B = never>(
    onFulfilled?: ((value: R) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(onFulfilled, onRejected)
  }

  /** @internal */
  protected get state(): 'pending' | 'fulfilled' | 'rejected' {
    return this.#state
  }

  /** The value or the error. @internal */
  protected get outcome(): unknown {
    return this.#state === 'pending' ? undefined : this.#held
  }

  /** The value; throws the error, with the stack of the call. It is settled. @internal */
  protected give(site: CallSite): R {
    if (this.#state === 'fulfilled') return this.#held as R
    site.addTo(this.#held)
    throw this.#held
  }

  #settle(state: 'fulfilled' | 'rejected', outcome: unknown): Waiting<R> | undefined {
    if (this.#state !== 'pending') return undefined
    const waiting = this.#held as Waiting<R> | undefined
    this.#state = state
    this.#held = outcome
    return waiting
  }

  /** A promise for somebody who handles it. */
  #promise(): Promise<R> {
    if (this.#state === 'fulfilled') return Promise.resolve(this.#held as R)
    if (this.#state === 'rejected') return Promise.reject(this.#held)
    if (this.#held === undefined) {
      let settle: Omit<Waiting<R>, 'promise'> | undefined
      const promise = new Promise<R>((resolve, reject) => (settle = { resolve, reject }))
      this.#held = { promise, ...(settle as unknown as Omit<Waiting<R>, 'promise'>) }
    }
    return (this.#held as Waiting<R>).promise
  }
}

// Outside of the class because its declaration is for users.
Reflect.defineProperty(Eventual.prototype, reduceSymbol, {
  value(this: object): Reduced {
    const what = this.constructor.name
    throw new PicklingError(`cannot send ${what}: await it first, and send its value`, '')
  },
})
