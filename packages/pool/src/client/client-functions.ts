/**
 * The functions of a client's tasks: encoded, and kept until their last task is over.
 *
 * @module
 */
import { dumps, isConstant } from '@mp/pickle'
import { keepInFlight } from '@mp/shared-memory/internal'
import type { SentFunction } from '../functions.js'
import type { AnyFunction } from '../submitter.js'

export interface ClientFunction extends SentFunction {
  readonly bytes: Uint8Array
}

export class ClientFunctions {
  readonly #constants = new WeakMap<AnyFunction, ClientFunction>()

  use(fn: AnyFunction): ClientFunction {
    const known = this.#constants.get(fn)
    if (known !== undefined) {
      known.uses++
      return known
    }
    const { result: bytes, hasCopies, cancel } = keepInFlight(() => dumps(fn))
    const name: unknown = fn.name
    const sent = {
      reference: { id: 0, page: 0, byteLength: 0 },
      name: typeof name === 'string' ? name : '',
      key: '',
      hasCopies,
      cancel,
      uses: 1,
      isFreed: false,
      bytes,
    }
    if (!hasCopies && isConstant(fn)) this.#constants.set(fn, sent)
    return sent
  }

  release(sent: SentFunction): void {
    if (--sent.uses === 0 && sent.hasCopies) sent.cancel()
  }
}
