/**
 * A message that was taken out of a ring and not read yet.
 *
 * @module
 */
import { keepFreedMemory } from '../freed-memory.js'
import { freeRun } from '../page-run.js'
import type { Session } from '../session.js'
import { Extent } from './message.js'

export class Taken {
  readonly #bytes: Uint8Array
  readonly #session: Session
  readonly #page: number
  readonly #count: number

  /** @param page first of `count` pages of this agent's that the bytes lie in, or -1: they are this thread's own. */
  constructor(bytes: Uint8Array, session: Session, page: number, count: number) {
    this.#bytes = bytes
    this.#session = session
    this.#page = page
    this.#count = count
  }

  /** Shows the message, once: bytes at whose start it lies, and its length. They are gone when `read` returns. */
  read<R>(read: (bytes: Uint8Array, length: number) => R): R {
    if (this.#page >= 0) keepFreedMemory(this.#session.native)
    try {
      return read(this.#bytes, this.#bytes.byteLength)
    } finally {
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
