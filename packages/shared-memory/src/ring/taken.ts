/**
 * A message that was taken out of a ring and not read yet.
 *
 * @module
 */
import type { Pages } from '../pages.js'

export class Taken {
  readonly #bytes: Uint8Array
  readonly #pages: Pages
  readonly #page: number
  readonly #count: number

  /** @param page first of `count` pages that the bytes lie in, or -1: nobody has to free them. */
  constructor(bytes: Uint8Array, pages: Pages, page: number, count: number) {
    this.#bytes = bytes
    this.#pages = pages
    this.#page = page
    this.#count = count
  }

  /** Shows the message, once: bytes at whose start it lies, and its length. They are gone when `read` returns. */
  read<R>(read: (bytes: Uint8Array, length: number) => R): R {
    try {
      return read(this.#bytes, this.#bytes.byteLength)
    } finally {
      // CRASH: dying before: the pages carry the object's mark, and are freed with it.
      if (this.#page >= 0) this.#pages.arena.free(this.#page, this.#count)
    }
  }
}
