/**
 * The side of a ring that messages come in by. All of it runs inside the write lock.
 *
 * SYNC: positions, records and our own commit word are read plainly: only in the lock, whose word orders one holder's
 * stores before the next one's loads. The other side reads them only after the commit word that publishes them.
 *
 * @module
 */
import { PAGE_BYTES } from '../layout.js'
import { givePages } from '../object-pages.js'
import type { Pages } from '../pages.js'
import { copyIn, copyWords } from './copy.js'
import {
  END,
  EXTENT_BYTES,
  KIND,
  PAGE_START,
  POSITION_WORDS,
  RECORD_HEADER,
  RING,
  WITH_ENDS,
  recordBytes,
} from './layout.js'
import { stampOf } from './delivery.js'
import type { Ends, Extent, Message } from './message.js'
import { Places } from './places.js'
import { COUNT_MASK, type RingState, advance } from './ring-state.js'

/** How a write ended. `short`: there is no page for it now. `corrupt`: the ring's words make no sense. */
export type WriteResult = 'put' | 'full' | 'closed' | 'short' | 'corrupt'

export class RingWriter {
  readonly #state: RingState
  readonly #pages: Pages
  readonly #index: number
  readonly #places: Places
  // Where the next record goes.
  #page = -1
  #offset = 0
  #bytes = 0

  constructor(state: RingState, pages: Pages, index: number) {
    this.#state = state
    this.#pages = pages
    this.#index = index
    this.#places = new Places(pages.arena, index)
  }

  /** Writes a message of `length` bytes, the first of `bytes`, or in pages of its own. */
  writeOne(
    bytes: Uint8Array,
    length: number,
    extent: Extent | null,
    ends: Ends | undefined,
  ): WriteResult {
    const state = this.#state
    if (state.isClosed) return 'closed'
    if (!state.hasRoom(1, length)) return 'full'
    const tail = this.#open()
    if (!this.#isOpen()) return 'corrupt'
    // What is left of a write that found no page is not committed, and the next one begins where this one did.
    if (!this.#append(bytes, length, extent, ends)) return 'short'
    if (extent !== null) this.#give(extent)
    this.#commit(tail, 1, ends)
    return 'put'
  }

  /** Writes a short message that lies in these words from `start` on. */
  writeWords(words: Int32Array, start: number, length: number): WriteResult {
    const state = this.#state
    if (state.closed) return 'closed'
    if (!state.hasRoom(1, length)) return 'full'
    const tail = this.#open()
    if (!this.#isOpen()) return 'corrupt'
    const size = recordBytes(length)
    if (!this.#hasPlace(size)) return 'short'
    const data = this.#pages.windowWords(this.#page)
    const record = (this.#pages.offset(this.#page) + this.#offset) >>> 2
    data[record] = length
    data[record + 1] = KIND.inline
    copyWords(words, start, length, data, record + 2)
    this.#offset += size
    this.#bytes = (this.#bytes + length) | 0
    this.#commit(tail, 1, undefined)
    return 'put'
  }

  /** Writes all messages, or none. */
  write(
    messages: readonly Message[],
    extents: readonly (Extent | null)[],
    ends: Ends | undefined,
  ): WriteResult {
    const state = this.#state
    if (state.isClosed) return 'closed'
    let total = 0
    for (let i = 0; i < messages.length; i++) total += messages[i].byteLength
    if (!state.hasRoom(messages.length, total)) return 'full'
    const tail = this.#open()
    if (!this.#isOpen()) return 'corrupt'
    const firstNew = this.#page
    for (let i = 0; i < messages.length; i++) {
      if (!this.#append(messages[i], messages[i].byteLength, extents[i], ends)) {
        this.#giveBack(firstNew)
        return 'short'
      }
    }
    for (const extent of extents) if (extent !== null) this.#give(extent)
    this.#commit(tail, messages.length, ends)
    return 'put'
  }

  /** Goes to the valid position. @returns the commit word. */
  #open(): number {
    const { words, base } = this.#state
    const tail = words[base + RING.tail]
    const at = base + RING.writePositions + (tail & 1) * POSITION_WORDS
    this.#page = words[at] - 1
    this.#offset = words[at + 1]
    this.#bytes = words[at + 2]
    return tail
  }

  /** Whether the position is one where records can stand, or none yet. */
  #isOpen(): boolean {
    return this.#page === -1 || this.#places.has(this.#page, this.#offset)
  }

  /**
   * Makes the pages of a long message the object's.
   *
   * CRASH: from here on they are freed with the object, if the message is not committed; before, with us.
   */
  #give({ page, pages }: Extent): void {
    givePages(this.#state.words, this.#pages.arena, this.#index, page, pages)
  }

  #commit(tail: number, count: number, ends: Ends | undefined): void {
    const { words, base } = this.#state
    if (ends !== undefined) {
      // CRASH: dying before the commit: they are let go of when the next message with that number is taken. Of messages
      // that are put together all count until the last is taken.
      const stamp = stampOf(((tail >>> 1) + count - 1) & COUNT_MASK)
      for (let i = 0; i < ends.length; i++) Atomics.store(words, ends[i], stamp)
    }
    const next = base + RING.writePositions + (1 - (tail & 1)) * POSITION_WORDS
    words[next] = this.#page + 1
    words[next + 1] = this.#offset
    words[next + 2] = this.#bytes
    // SYNC: publishes the plain stores of position and records. CRASH: before it no message exists; its pages carry the
    // object's mark and are freed with it. After it they all do.
    Atomics.store(words, base + RING.tail, advance(tail, count))
  }

  #append(
    message: Message,
    length: number,
    extent: Extent | null,
    ends: Ends | undefined,
  ): boolean {
    const pages = this.#pages
    const size = recordBytes(extent === null ? length : EXTENT_BYTES)
    if (!this.#hasPlace(size)) return false
    const data = pages.windowWords(this.#page)
    const start = pages.offset(this.#page) + this.#offset
    const record = start >>> 2
    const flags = ends === undefined ? 0 : WITH_ENDS
    data[record] = length
    if (extent !== null) {
      data[record + 1] = KIND.extent | flags
      data[record + 2] = extent.page
      data[record + 3] = extent.pages
    } else {
      data[record + 1] = KIND.inline | flags
      copyIn(message as Uint8Array, length, pages.window(this.#page), data, start + RECORD_HEADER)
    }
    this.#offset += size
    this.#bytes = (this.#bytes + length) | 0
    return true
  }

  /** Whether a record of that size has a place, on a new page if need be. */
  #hasPlace(size: number): boolean {
    const isFull = this.#page < 0 || this.#offset + size > PAGE_BYTES
    return !isFull || this.#addPage()
  }

  #addPage(): boolean {
    const pages = this.#pages
    const { words, base } = this.#state
    const page = pages.arena.takeLow()
    if (page < 0) return false
    givePages(words, pages.arena, this.#index, page, 1)
    pages.windowWords(page)[pages.offset(page) >>> 2] = 0
    if (this.#page < 0) {
      Atomics.store(words, base + RING.firstPage, page + 1)
    } else {
      const data = pages.windowWords(this.#page)
      const start = pages.offset(this.#page)
      data[start >>> 2] = page + 1
      if (this.#offset + RECORD_HEADER <= PAGE_BYTES) data[(start + this.#offset) >>> 2] = END
    }
    this.#page = page
    this.#offset = PAGE_START
    return true
  }

  /** Frees the pages added after `last` by a write that is given up. */
  #giveBack(last: number): void {
    const pages = this.#pages
    let page =
      last < 0
        ? Atomics.load(this.#state.words, this.#state.base + RING.firstPage)
        : pages.windowWords(last)[pages.offset(last) >>> 2]
    while (page !== 0 && this.#page !== last) {
      const index = page - 1
      page = index === this.#page ? 0 : pages.windowWords(index)[pages.offset(index) >>> 2]
      pages.arena.free(index, 1)
    }
  }
}
