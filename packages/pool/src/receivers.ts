/**
 * What waits for the result of a call, and has the stack of the call in its error.
 *
 * @module
 */
import type { CallSite } from './call-site.js'
import type { Receiver } from './task.js'

/** Settles the promise that a call gave. */
export class PromiseReceiver implements Receiver {
  readonly isQuiet: boolean = true
  readonly resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void
  /** Where the call came from, once that is known. */
  site: CallSite | undefined

  constructor(resolve: (value: never) => void, reject: (error: unknown) => void, site?: CallSite) {
    this.resolve = resolve as (value: unknown) => void
    this.#reject = reject
    this.site = site
  }

  reject(error: unknown): void {
    this.site?.addTo(error)
    this.#reject(error)
  }
}

/** For a call that blocks its thread. */
export class SyncReceiver implements Receiver {
  isSettled = false
  #hasFailed = false
  #outcome: unknown

  resolve(value: unknown): void {
    this.isSettled = true
    this.#outcome = value
  }

  reject(error: unknown): void {
    this.resolve(error)
    this.#hasFailed = true
  }

  /** The result; throws the error of the task. */
  result(site: CallSite): unknown {
    if (!this.#hasFailed) return this.#outcome
    site.addTo(this.#outcome)
    throw this.#outcome
  }
}
