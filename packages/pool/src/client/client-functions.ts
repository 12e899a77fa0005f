/**
 * The functions of a client's tasks: encoded, and kept until their last task is over.
 *
 * @module
 */
import type { SentFunction } from '../functions.js'
import { KnownFunctions } from '../known-functions.js'
import type { AnyFunction } from '../submitter.js'

export interface ClientFunction extends SentFunction {
  readonly bytes: Uint8Array
}

export class ClientFunctions {
  readonly #known = new KnownFunctions<ClientFunction>()

  use(fn: AnyFunction): ClientFunction {
    const sent = this.#known.get(fn, (encoded) => ({
      ...encoded,
      reference: { id: 0, page: 0, byteLength: 0 },
      key: '',
      uses: 0,
      isFreed: false,
    }))
    sent.uses++
    return sent
  }

  release(sent: SentFunction): void {
    if (--sent.uses === 0 && sent.hasCopies) sent.cancel()
  }
}
