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
import { LeafLock } from '../leaf-lock.js'
import { OBJECT_OWNER, PAGE_BYTES } from '../layout.js'
import { givePages } from '../object-pages.js'
import { pagesFor } from '../pages.js'
import type { Session } from '../session.js'
import { PENDING, type Pending, type Waitable } from '../waiting.js'
import { WAIT_SET_WORDS, WaitSet } from '../wait-set.js'
import { END, INLINE_MAX, KIND, PAGE_START, POSITION_WORDS, RECORD_HEADER, RING } from './layout.js'
import {
  CorruptRingError,
  Extent,
  type Message,
  RingClosedError,
  checkFits,
  copyExtent,
  fillExtents,
  freeExtents,
  needsExtent,
} from './message.js'
import { advance, claimOf, copyOut, recordBytes } from './record.js'
import { Taking } from './taking.js'

/** What `tryPut` answers. */
export type PutResult = 'put' | 'full' | 'closed'

/** How long a writer that found no memory waits before it looks again; any reader of the session may free some. */
const MEMORY_RECHECK_MS = 10

const COUNT_MASK = 0x7fffffff

export class MessageRing {
  readonly notEmpty: WaitSet
  readonly notFull: WaitSet
  readonly #session: Session
  readonly #words: Int32Array
  readonly #base: number
  readonly #index: number
  readonly #writeLock: LeafLock
  readonly #readLock: LeafLock
  readonly #scratch: Uint8Array<ArrayBuffer> = new Uint8Array(INLINE_MAX)
  readonly #taking: Taking
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
    this.#readLock = new LeafLock(agent, waiting, base + RING.readLock, sets + WAIT_SET_WORDS)
    const { arena } = session.pages
    this.#taking = new Taking(words, base, arena, OBJECT_OWNER | index, agent.tag)
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

  /**
   * Puts messages, all or none: they become visible in one store.
   *
   * Those that lie in pages already stay the caller's unless they are put.
   *
   * @throws MessageTooLargeError when they can never fit.
   */
  tryPut(messages: readonly Message[]): PutResult {
    checkFits(this.#session.pages, messages)
    const extents = this.#fillExtents(messages)
    if (extents === null) return 'full'
    this.#writeLock.lock()
    const result = this.#write(messages, extents)
    this.#writeLock.unlock()
    if (result === 'put') {
      this.notEmpty.wakeOne()
      return result
    }
    freeExtents(this.#session, messages, extents)
    if (result === 'corrupt') throw new CorruptRingError()
    return result
  }

  /**
   * A wait for room for these messages.
   *
   * @throws MessageTooLargeError when they can never fit.
   */
  putting(messages: readonly Message[]): Waitable<true> {
    // At once, also when others stand in line.
    checkFits(this.#session.pages, messages)
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
   * @returns a copy of it, or null when there is none.
   */
  tryTake(claim = -1): Uint8Array<ArrayBuffer> | null {
    const message = this.tryTakeInPlace(claim)
    if (!(message instanceof Extent)) return message
    const copy = copyExtent(this.#session, message)
    // Somebody may wait for the memory.
    this.notFull.wakeOne()
    return copy
  }

  /**
   * Takes the first message, a long one without copying it.
   *
   * @returns a copy of a short one; pages that are this agent's from now on; or null when there is none.
   */
  tryTakeInPlace(claim = -1): Uint8Array<ArrayBuffer> | Extent | null {
    const { pages } = this.#session
    const words = this.#words
    this.#readLock.lock()
    const head = Atomics.load(words, this.#base + RING.head)
    if (head >>> 1 === this.put) {
      this.#readLock.unlock()
      return null
    }
    const at = this.#base + RING.readPositions + (head & 1) * POSITION_WORDS
    const first = Atomics.load(words, at) === 0
    const oldPage =
      (first ? Atomics.load(words, this.#base + RING.firstPage) : Atomics.load(words, at)) - 1
    let page = oldPage
    let offset = first ? PAGE_START : Atomics.load(words, at + 1)
    if (!this.#isPlace(page, offset)) this.#failTake()
    let data = pages.windowWords(page)
    let record = (pages.offset(page) + offset) >>> 2
    if (offset + RECORD_HEADER > PAGE_BYTES || data[record] === END) {
      page = data[pages.offset(page) >>> 2] - 1
      offset = PAGE_START
      if (!this.#isPlace(page, offset)) this.#failTake()
      data = pages.windowWords(page)
      record = (pages.offset(page) + offset) >>> 2
    }
    const length = data[record]
    const isExtent = data[record + 1] === KIND.extent
    const extentPage = data[record + 2]
    const extentPages = data[record + 3]
    if (isExtent) {
      const isWhole = needsExtent(length) && extentPages === pagesFor(length)
      if (!isWhole || !pages.arena.has(extentPage, extentPages)) this.#failTake()
      if (!this.#taking.begin(head, extentPage, extentPages)) this.#failTake()
    } else {
      const isShort = data[record + 1] === KIND.inline && length >= 0 && !needsExtent(length)
      if (!isShort || offset + RECORD_HEADER + length > PAGE_BYTES) this.#failTake()
      copyOut(pages.window(page), (record + 2) << 2, length, this.#scratch)
    }
    const next = this.#base + RING.readPositions + (1 - (head & 1)) * POSITION_WORDS
    Atomics.store(words, next, page + 1)
    Atomics.store(words, next + 1, offset + recordBytes(isExtent ? 8 : length))
    Atomics.store(words, next + 2, (Atomics.load(words, at + 2) + length) | 0)
    if (claim >= 0) Atomics.store(words, claim, claimOf(head >>> 1))
    // CRASH: before this store the message is still there for the next reader, after it it is ours.
    Atomics.store(words, this.#base + RING.head, advance(head, 1))
    if (isExtent) this.#taking.end()
    this.#readLock.unlock()
    if (page !== oldPage) pages.arena.free(oldPage, 1)
    this.notFull.wakeOne()
    return isExtent ? new Extent(extentPage, extentPages, length) : this.#scratch.slice(0, length)
  }

  /** A wait for a message. */
  taking(claim = -1): Waitable<Uint8Array<ArrayBuffer>> {
    return this.#takingBy(() => this.tryTake(claim))
  }

  /** A wait for a message, a long one in place. */
  takingInPlace(): Waitable<Uint8Array<ArrayBuffer> | Extent> {
    return this.#takingBy(() => this.tryTakeInPlace())
  }

  #takingBy<T>(take: () => T | null): Waitable<T> {
    return {
      set: this.notEmpty,
      attempt: (): T | Pending => {
        const message = take()
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

  /** Whether a record can stand there: in a page of this object. For words that others have written. */
  #isPlace(page: number, offset: number): boolean {
    const { arena } = this.#session.pages
    const isAligned = offset >= PAGE_START && offset <= PAGE_BYTES && (offset & 7) === 0
    return isAligned && arena.has(page, 1) && arena.owner(page) === (OBJECT_OWNER | this.#index)
  }

  /** Leaves everything as it is; whoever looks next fails as well. */
  #failTake(): never {
    this.#readLock.unlock()
    throw new CorruptRingError()
  }

  #fillExtents(messages: readonly Message[]): (Extent | null)[] | null {
    if (this.closed || this.isFull()) return messages.map(() => null)
    const extents = fillExtents(this.#session, messages)
    this.#shortOfMemory = extents === null
    return extents
  }

  /** Inside the write lock: writes the records, then commits them all by one store. */
  #write(messages: readonly Message[], extents: readonly (Extent | null)[]): PutResult | 'corrupt' {
    const words = this.#words
    if (Atomics.load(words, this.#base + RING.closed) !== 0) return 'closed'
    const tail = Atomics.load(words, this.#base + RING.tail)
    if (!this.#hasRoom(messages)) return 'full'
    const at = this.#base + RING.writePositions + (tail & 1) * POSITION_WORDS
    this.#page = Atomics.load(words, at) - 1
    this.#offset = Atomics.load(words, at + 1)
    this.#bytes = Atomics.load(words, at + 2)
    if (this.#page !== -1 && !this.#isPlace(this.#page, this.#offset)) return 'corrupt'
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
    for (const extent of extents) {
      if (extent)
        givePages(words, this.#session.pages.arena, this.#index, extent.page, extent.pages)
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

  #hasRoom(messages: readonly Message[]): boolean {
    const maxItems = Atomics.load(this.#words, this.#base + RING.maxItems)
    if (maxItems !== 0 && this.size + messages.length > maxItems) return false
    const maxBytes = Atomics.load(this.#words, this.#base + RING.maxBytes)
    // A message larger than the bound goes alone.
    if (maxBytes === 0 || this.size === 0) return true
    let total = this.byteLength
    for (let i = 0; i < messages.length; i++) total += messages[i].byteLength
    return total <= maxBytes
  }

  #append(message: Message, extent: Extent | null): boolean {
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
      pages.window(this.#page).set(message as Uint8Array, start + RECORD_HEADER)
    } else {
      data[record + 2] = extent.page
      data[record + 3] = extent.pages
    }
    this.#offset += size
    this.#bytes = (this.#bytes + length) | 0
    return true
  }

  #addPage(): boolean {
    const { pages } = this.#session
    const page = pages.arena.takeLow()
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
