/**
 * Messages that were taken and cannot be decoded at once: they name a module with a top-level await.
 *
 * A call that may wait imports it. One that blocks its thread cannot, and leaves the message to the next call.
 *
 * @module
 */
import { UnpicklingError } from './errors.js'
import { type LoadsOptions, loads, loadsAsync, loadsFrom } from './loads.js'
import { AWAITED_MODULE } from './modules/load.js'

/** Whoever took the message wants to know when it has been decoded, or never will be. */
export interface Delivery {
  /** It is decoded later. */
  putOff(): unknown
  end(): void
}

/** A message of which decoding has to wait. */
export class Undecoded {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly delivery: Delivery | undefined

  /** @param bytes at whose start it lies; they are not kept. */
  constructor(bytes: Uint8Array, byteLength: number, delivery: Delivery | undefined) {
    this.bytes = bytes.slice(0, byteLength)
    this.delivery = delivery
    delivery?.putOff()
  }

  /** Decodes it when its modules are there. */
  async decode(): Promise<unknown> {
    try {
      return await decodeLater(this.bytes)
    } finally {
      this.delivery?.end()
    }
  }
}

/** Thrown by a call that blocks its thread when the message has to be waited for; the next call finds it again. */
class AwaitedMessageError extends UnpicklingError {
  override readonly code: string = AWAITED_MODULE

  constructor(cause: unknown) {
    super(
      'The message names a module with a top-level await, which cannot be loaded while this thread is blocked: ' +
        'receive it by the form that gives a promise, or import the module before. The message is kept for the next call',
      { cause },
    )
  }
}

/** Decodes what can be decoded at once. */
export function decodeOrKeep(bytes: Uint8Array, byteLength: number, delivery?: Delivery): unknown {
  try {
    return loadsFrom(bytes, byteLength)
  } catch (error) {
    if (isAwaited(error)) return new Undecoded(bytes, byteLength, delivery)
    throw error
  }
}

/** Decodes at once where that works, and else when the modules are there. */
export async function decodeLater(
  message: Uint8Array,
  place?: LoadsOptions['place'],
): Promise<unknown> {
  try {
    return loads(message, { place })
  } catch (error) {
    if (!isAwaited(error)) throw error
  }
  // Modules come before values, so nothing of it was decoded.
  return loadsAsync(message, { place })
}

function isAwaited(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null | undefined)?.code === AWAITED_MODULE
}

/** What one receiver has taken and given to nobody yet, in order. It goes before what can be taken. */
export class Backlog {
  readonly #entries: (Undecoded | { readonly error: unknown })[] = []

  get any(): boolean {
    return this.#entries.length > 0
  }

  /** Adds a failure, to be told of in its turn. */
  fail(error: unknown): void {
    this.#entries.push({ error })
  }

  /** Decodes a message that was just taken; keeps it, and throws, when that has to wait. An arrow, to be handed on. */
  readonly decodeNow = (bytes: Uint8Array, byteLength: number, delivery?: Delivery): unknown => {
    try {
      return loadsFrom(bytes, byteLength)
    } catch (error) {
      throw this.#keep(bytes, byteLength, delivery, error)
    }
  }

  /** As `decodeNow`, of a message that stays where it is. */
  decodeInPlace(bytes: Uint8Array, place: LoadsOptions['place'], delivery?: Delivery): unknown {
    try {
      return loads(bytes, { place })
    } catch (error) {
      throw this.#keep(bytes, bytes.byteLength, delivery, error)
    }
  }

  /** Takes the first message; throws if it is a failure. */
  shift(): Undecoded {
    const first = this.#entries.shift()!
    if (first instanceof Undecoded) return first
    throw first.error
  }

  /** Takes the first message by `decode`; leaves it, and throws, when its modules have to be waited for. */
  shiftSync<R>(decode: (bytes: Uint8Array<ArrayBuffer>) => R): R {
    const message = this.shift()
    try {
      const result = decode(message.bytes)
      message.delivery?.end()
      return result
    } catch (error) {
      if (!isAwaited(error)) {
        message.delivery?.end()
        throw error
      }
      this.#entries.unshift(message)
      throw new AwaitedMessageError(error)
    }
  }

  #keep(
    bytes: Uint8Array,
    byteLength: number,
    delivery: Delivery | undefined,
    error: unknown,
  ): unknown {
    if (!isAwaited(error)) return error
    this.#entries.push(new Undecoded(bytes, byteLength, delivery))
    return new AwaitedMessageError(error)
  }
}
