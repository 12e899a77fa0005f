/**
 * The base of arrays and lists: shared objects with a run of data pages of their own.
 *
 * @module
 */
import { OutOfSharedMemoryError } from './errors.js'
import { CONTROL_BYTES, PAGE_BYTES } from './layout.js'
import { PUNCH_PAGES, givePages } from './object-pages.js'
import { pagesFor } from './pages.js'
import { OWNED } from './shared-layout.js'
import { SharedObject } from './shared-object.js'

export abstract class OwnedObject extends SharedObject {
  /**
   * Takes data pages for an object that is just being made; ends it when there is no room.
   *
   * @param what names it in the error: "an Int32Array of 5 elements".
   * @returns the first page.
   */
  protected takePages(byteLength: number, what: string): number {
    const { session, handle } = this
    const { arena, count: total } = session.pages
    const count = pagesFor(byteLength)
    const first = count > total ? -1 : arena.take(count)
    if (first < 0) {
      // Nobody knows it yet.
      super.close()
      throw new OutOfSharedMemoryError(
        `There is no room for ${what}: it takes ${count * PAGE_BYTES} bytes in one piece, and the session's ` +
          `${total * PAGE_BYTES} bytes have none that is free; raise MP_MEMORY_LIMIT`,
      )
    }
    Atomics.store(session.words, handle.base + OWNED.page, first)
    Atomics.store(session.words, handle.base + OWNED.pages, count)
    givePages(session.words, arena, handle.index, first, count)
    return first
  }

  /** Zeroes pages that were just taken: others may have used them. */
  protected wipePages(first: number, count: number): void {
    const { pages, native } = this.session
    if (count >= PUNCH_PAGES) {
      native.punch(CONTROL_BYTES + first * PAGE_BYTES, count * PAGE_BYTES)
    } else {
      pages.clear(first, count * PAGE_BYTES)
    }
  }
}
