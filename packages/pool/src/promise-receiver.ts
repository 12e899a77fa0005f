/**
 * Settles the promise that a call gave, with the stack of the call in its error.
 *
 * @module
 */
import type { CallSite } from './call-site.js'
import type { Receiver } from './task.js'

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
