/**
 * Messages through shared memory, from any agent to any agent, first in first out.
 *
 * A linked list of pages, written at one end under one leaf lock and read at the
 * other under another. Each side commits by one store, of a word that counts
 * messages and says which of two positions is valid: before it nothing happened,
 * after it everything has. So a lock taken from a dead owner needs no repair.
 * The commit word is LMDB's pair of meta pages in miniature.
 *
 * @module
 */
import { MultiprocessingError } from '../errors.js'
import { LeafLock } from '../leaf-lock.js'
import { PAGE_BYTES } from '../layout.js'
import { givePages } from '../object-pages.js'
import type { Session } from '../session.js'
import { PENDING, type Pending, type Waitable } from '../waiting.js'
import { WAIT_SET_WORDS, WaitSet } from '../wait-set.js'
import { END, INLINE_MAX, KIND, PAGE_START, POSITION_WORDS, RECORD_HEADER, RING } from './layout.js'
import type { Keeper } from './kept.js'
import { type Extent, fillExtent, needsExtent } from './message.js'

/** Thrown when the ring was closed: by writers at once, by readers when it is drained. */
export class RingClosedError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_RING_CLOSED', 'The ring is closed')
  }
}

/** What `tryPut` answers. */
export type PutResult = 'put' | 'full' | 'closed'

/** How long a writer that found no memory waits before it looks again; any reader of the session may free some. */
const MEMORY_RECHECK_MS = 10

const COUNT_MASK = 0x7fffffff

export class MessageRing {
  readonly notEmpty: WaitSet
  readonly notFull: WaitSet
  /** The readers' lock. */
  readonly readLock: LeafLock
  readonly #session: Session
  readonly #words: Int32Array
  readonly #base: number
  readonly #index: number
  readonly #writeLock: LeafLock
  readonly #scratch: Uint8Array<ArrayBuffer> = new Uint8Array(INLINE_MAX)
  #shortOfMemory = false
  // Where the next record goes; only meaningful inside the write lock.
  #page = -1
  #offset = 0
  #bytes = 0

  /**
   * @param base first of `RING_WORDS` words.
   * @param sets first of `RING_SETS` wait sets.
   * @param index of the object that the words belong to: its mark is on the ring's pages.
   */
  constructor(session: Session, base: number, sets: number, index: number) {
    const { agent, waiting, words } = session
    this.#session = session
    this.#words = words
    this.#base = base
    this.#index = index
    this.#writeLock = new LeafLock(agent, waiting, base + RING.writeLock, sets)
    this.readLock = new LeafLock(agent, waiting, base + RING.readLock, sets + WAIT_SET_WORDS)
    this.notEmpty = new WaitSet(agent, sets + 2 * WAIT_SET_WORDS)
    this.notFull = new WaitSet(agent, sets + 3 * WAIT_SET_WORDS)
  }

  /** How many messages are in it. */
  get size(): number {
    return (this.put - this.taken) & COUNT_MASK
  }

  /** How many messages have been put, modulo 2^31. */
  get put(): number {
    return Atomics.load(this.#words, this.#base + RING.tail) >>> 1
  }

  /** How many messages have been taken, modulo 2^31. */
  get taken(): number {
    return Atomics.load(this.#words, this.#base + RING.head) >>> 1
  }

  get closed(): boolean {
    return Atomics.load(this.#words, this.#base + RING.closed) !== 0
  }

  /** Whether it is closed and empty: there will never be another message. */
  get drained(): boolean {
    return this.closed && this.size === 0
  }

  /** No more messages: writers fail from now on, readers when it is drained. */
  close(): void {
    // SYNC: in the lock, so that no writer is under way: a reader that sees it, then an empty ring, has seen all.
    this.#writeLock.lock()
    Atomics.store(this.#words, this.#base + RING.closed, 1)
    this.#writeLock.unlock()
    this.notEmpty.wakeAll()
    this.notFull.wakeAll()
  }

  /** Puts messages, all or none: they become visible in one store. */
  tryPut(messages: readonly Uint8Array[]): PutResult {
    const extents = this.#fillExtents(messages)
    if (extents === null) return 'full'
    this.#writeLock.lock()
    const result = this.#write(messages, extents)
    this.#writeLock.unlock()
    if (result === 'put') this.notEmpty.wakeOne()
    else
      for (const extent of extents)
        if (extent) this.#session.pages.arena.free(extent.page, extent.pages)
    return result
  }

  /** A wait for room for these messages. */
  putting(messages: readonly Uint8Array[]): Waitable<true> {
    return {
      set: this.notFull,
      attempt: () => {
        const result = this.tryPut(messages)
        if (result === 'closed') throw new RingClosedError()
        return result === 'put' ? true : PENDING
      },
      available: () => !this.isFull(),
      recheckMs: () => (this.#shortOfMemory ? MEMORY_RECHECK_MS : Infinity),
    }
  }

  /** Whether a bound on messages or bytes is reached. */
  isFull(): boolean {
    const words = this.#words
    const maxItems = Atomics.load(words, this.#base + RING.maxItems)
    const maxBytes = Atomics.load(words, this.#base + RING.maxBytes)
    return (
      (maxItems !== 0 && this.size >= maxItems) || (maxBytes !== 0 && this.byteLength >= maxBytes)
    )
  }

  /** How many bytes of messages are in it. */
  get byteLength(): number {
    const written = this.#position(RING.tail, RING.writePositions) + 2
    const read = this.#position(RING.head, RING.readPositions) + 2
    return (Atomics.load(this.#words, written) - Atomics.load(this.#words, read)) >>> 0
  }

  /**
   * Takes the first message.
   *
   * @param claim a word that gets `claimOf` the message's number just before it is taken, so that it can be told who died with it.
   * @param keeper keeps the message, its page and its pages, until it is done with.
   * @returns a copy of it, or null when there is none.
   */
  tryTake(claim = -1, keeper?: Keeper): Uint8Array<ArrayBuffer> | null {
    const words = this.#words
    this.readLock.lock()
    const head = Atomics.load(words, this.#base + RING.head)
    if (head >>> 1 === this.put) {
      this.readLock.unlock()
      return null
    }
    const at = this.#base + RING.readPositions + (head & 1) * POSITION_WORDS
    const first = Atomics.load(words, at) === 0
    const oldPage =
      (first ? Atomics.load(words, this.#base + RING.firstPage) : Atomics.load(words, at)) - 1
    let page = oldPage
    let offset = first ? PAGE_START : Atomics.load(words, at + 1)
    let data = this.#session.pages.windowWords(page)
    let record = (this.#session.pages.offset(page) + offset) >>> 2
    if (offset + RECORD_HEADER > PAGE_BYTES || data[record] === END) {
      page = data[this.#session.pages.offset(page) >>> 2] - 1
      offset = PAGE_START
      data = this.#session.pages.windowWords(page)
      record = (this.#session.pages.offset(page) + offset) >>> 2
    }
    const length = data[record]
    const isExtent = data[record + 1] === KIND.extent
    const extentPage = data[record + 2]
    const extentPages = data[record + 3]
    if (!isExtent)
      copyOut(this.#session.pages.window(page), (record + 2) << 2, length, this.#scratch)
    const next = this.#base + RING.readPositions + (1 - (head & 1)) * POSITION_WORDS
    Atomics.store(words, next, page + 1)
    Atomics.store(words, next + 1, offset + recordBytes(isExtent ? 8 : length))
    Atomics.store(words, next + 2, (Atomics.load(words, at + 2) + length) | 0)
    if (claim >= 0) Atomics.store(words, claim, claimOf(head >>> 1))
    if (keeper !== undefined && !keeper.keep(head >>> 1, page, offset)) {
      this.readLock.unlock()
      throw keeper.refusal()
    }
    // CRASH: before this store the message is still there for the next reader, after it it is ours.
    Atomics.store(words, this.#base + RING.head, advance(head, 1))
    this.readLock.unlock()
    if (page !== oldPage && keeper === undefined) this.#session.pages.arena.free(oldPage, 1)
    this.notFull.wakeOne()
    if (!isExtent) return this.#scratch.slice(0, length)
    if (keeper !== undefined) return this.#session.pages.bytes(extentPage, length).slice()
    return this.#takeExtent(extentPage, extentPages, length)
  }

  /** A wait for a message. */
  taking(claim = -1): Waitable<Uint8Array<ArrayBuffer>> {
    return {
      set: this.notEmpty,
      attempt: (): Uint8Array<ArrayBuffer> | Pending => {
        const message = this.tryTake(claim)
        if (message !== null) return message
        if (this.drained) throw new RingClosedError()
        return PENDING
      },
      available: () => this.size !== 0,
    }
  }

  /** A wait until there is a message (or never will be); takes nothing. */
  polling(): Waitable<true> {
    const ready = (): boolean => this.size !== 0 || this.closed
    return { set: this.notEmpty, attempt: () => (ready() ? true : PENDING), available: ready }
  }

  #position(commit: number, positions: number): number {
    const side = Atomics.load(this.#words, this.#base + commit) & 1
    return this.#base + positions + side * POSITION_WORDS
  }

  #takeExtent(page: number, pages: number, length: number): Uint8Array<ArrayBuffer> {
    const copy = this.#session.pages.bytes(page, length).slice()
    this.#session.pages.arena.free(page, pages)
    return copy
  }

  #fillExtents(messages: readonly Uint8Array[]): (Extent | null)[] | null {
    const extents: (Extent | null)[] = []
    if (this.closed || this.isFull()) return messages.map(() => null)
    this.#shortOfMemory = false
    for (const message of messages) {
      const extent = needsExtent(message.byteLength) ? fillExtent(this.#session, message) : null
      if (extent === null && needsExtent(message.byteLength)) {
        for (const filled of extents)
          if (filled) this.#session.pages.arena.free(filled.page, filled.pages)
        this.#shortOfMemory = true
        return null
      }
      extents.push(extent)
    }
    return extents
  }

  /** Inside the write lock: writes the records, then commits them all by one store. */
  #write(messages: readonly Uint8Array[], extents: readonly (Extent | null)[]): PutResult {
    const words = this.#words
    if (Atomics.load(words, this.#base + RING.closed) !== 0) return 'closed'
    const tail = Atomics.load(words, this.#base + RING.tail)
    if (!this.#hasRoom(messages)) return 'full'
    const at = this.#base + RING.writePositions + (tail & 1) * POSITION_WORDS
    this.#page = Atomics.load(words, at) - 1
    this.#offset = Atomics.load(words, at + 1)
    this.#bytes = Atomics.load(words, at + 2)
    const firstNew = this.#page
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i]
      const extent = extents[i] ?? null
      if (needsExtent(message.byteLength) && extent === null) return 'full'
      if (!this.#append(message, extent)) {
        this.#giveBack(firstNew)
        this.#shortOfMemory = true
        return 'full'
      }
    }
    const next = this.#base + RING.writePositions + (1 - (tail & 1)) * POSITION_WORDS
    Atomics.store(words, next, this.#page + 1)
    Atomics.store(words, next + 1, this.#offset)
    Atomics.store(words, next + 2, this.#bytes)
    // SYNC: publishes the records' plain stores. CRASH: before it no message exists; its pages carry the object's mark
    // and are freed with it. After it they all do.
    Atomics.store(words, this.#base + RING.tail, advance(tail, messages.length))
    return 'put'
  }

  #hasRoom(messages: readonly Uint8Array[]): boolean {
    const maxItems = Atomics.load(this.#words, this.#base + RING.maxItems)
    if (maxItems !== 0 && this.size + messages.length > maxItems) return false
    const maxBytes = Atomics.load(this.#words, this.#base + RING.maxBytes)
    // A message larger than the bound goes alone.
    if (maxBytes === 0 || this.size === 0) return true
    let total = this.byteLength
    for (let i = 0; i < messages.length; i++) total += messages[i].byteLength
    return total <= maxBytes
  }

  #append(message: Uint8Array, extent: Extent | null): boolean {
    const { pages } = this.#session
    const length = message.byteLength
    const size = recordBytes(extent === null ? length : 8)
    if (this.#page < 0 || this.#offset + size > PAGE_BYTES) {
      if (!this.#addPage()) return false
    }
    const data = pages.windowWords(this.#page)
    const start = pages.offset(this.#page) + this.#offset
    const record = start >>> 2
    data[record] = length
    data[record + 1] = extent === null ? KIND.inline : KIND.extent
    if (extent === null) {
      pages.window(this.#page).set(message, start + RECORD_HEADER)
    } else {
      givePages(this.#words, pages.arena, this.#index, extent.page, extent.pages)
      data[record + 2] = extent.page
      data[record + 3] = extent.pages
    }
    this.#offset += size
    this.#bytes = (this.#bytes + length) | 0
    return true
  }

  #addPage(): boolean {
    const { pages } = this.#session
    const page = pages.arena.take(1)
    if (page < 0) return false
    givePages(this.#words, pages.arena, this.#index, page, 1)
    pages.windowWords(page)[pages.offset(page) >>> 2] = 0
    if (this.#page < 0) {
      Atomics.store(this.#words, this.#base + RING.firstPage, page + 1)
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
    const { pages } = this.#session
    let page =
      last < 0
        ? Atomics.load(this.#words, this.#base + RING.firstPage)
        : pages.windowWords(last)[pages.offset(last) >>> 2]
    while (page !== 0 && this.#page !== last) {
      const index = page - 1
      page = index === this.#page ? 0 : pages.windowWords(index)[pages.offset(index) >>> 2]
      pages.arena.free(index, 1)
    }
  }
}

/** What a claim word holds for a message number: never 0. */
export function claimOf(number: number): number {
  return (number + 1) | 0
}

/** The commit word after `count` more messages: the other position is valid now. */
function advance(word: number, count: number): number {
  return (((word >>> 1) + count) << 1) | (1 - (word & 1)) | 0
}

/** Bytes that a record takes with its header and padding. */
function recordBytes(length: number): number {
  return RECORD_HEADER + ((length + 7) & ~7)
}

/** Copies few bytes one by one: cheaper than making a view. */
function copyOut(from: Uint8Array, start: number, length: number, to: Uint8Array): void {
  if (length > 64) to.set(from.subarray(start, start + length))
  else for (let i = 0; i < length; i++) to[i] = from[start + i]
}
