/**
 * A message that was taken out of a ring and not read yet.
 *
 * @module
 */
import { keepFreedMemory } from '../freed-memory.js'
import { freeRun } from '../page-run.js'
import type { Session } from '../session.js'
import type { Delivery } from './delivery.js'
import { Extent } from './message.js'

/**
 * Reads a message of `length` bytes that lies at the start of these, which are gone when it returns.
 *
 * @param delivery when it names ends of pipes: to be put off by who decodes it later.
 */
export type ReadMessage<R> = (
  bytes: Uint8Array,
  length: number,
  delivery: Delivery | undefined,
) => R

export class Taken {
  readonly #bytes: Uint8Array
  readonly #session: Session
  readonly #page: number
  readonly #count: number
  /** When the message names ends of pipes: to be ended by who takes it in place. */
  readonly delivery: Delivery | undefined

  /** @param page first of `count` pages of this agent's that the bytes lie in, or -1: they are this thread's own. */
  constructor(
    bytes: Uint8Array,
    session: Session,
    page: number,
    count: number,
    delivery?: Delivery,
  ) {
    this.#bytes = bytes
    this.#session = session
    this.#page = page
    this.#count = count
    this.delivery = delivery
  }

  /** Shows the message, once. */
  read<R>(read: ReadMessage<R>): R {
    const { delivery } = this
    if (this.#page >= 0) keepFreedMemory(this.#session.native)
    try {
      return read(this.#bytes, this.#bytes.byteLength, delivery)
    } finally {
      if (delivery?.isPutOff === false) delivery.end()
      // CRASH: dying before: the pages carry our tag, and the reaper frees them.
      if (this.#page >= 0) freeRun(this.#session, this.#page, this.#count)
    }
  }

  /** The message where it is, in place of reading it: bytes, or pages that the caller has to free. */
  inPlace(): Uint8Array<ArrayBuffer> | Extent {
    if (this.#page < 0) return this.#bytes as Uint8Array<ArrayBuffer>
    return new Extent(this.#page, this.#count, this.#bytes.byteLength)
  }
}
