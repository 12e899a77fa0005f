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
import { RECHECK_MS } from '../memory-waits.js'
import { freeRun } from '../page-run.js'
import type { Session } from '../session.js'
import { PENDING, type Pending, type Waitable } from '../waiting.js'
import { WAIT_SET_WORDS, WaitSet } from '../wait-set.js'
import type { Keeper } from './kept.js'
import { RING } from './layout.js'
import {
  CorruptRingError,
  type Ends,
  Extent,
  type Message,
  RingClosedError,
  checkFitTogether,
  checkFits,
  fillExtents,
  freeExtents,
  needsExtent,
  takeExtent,
} from './message.js'
import { RingReader } from './ring-reader.js'
import { RingState } from './ring-state.js'
import { RingWriter, type WriteResult } from './ring-writer.js'
import { Room } from './room.js'
import type { ReadMessage, Taken } from './taken.js'

/** What `tryPut` answers. */
export type PutResult = 'put' | 'full' | 'closed'

/** Writes a message that does not lie in one place. */
export type CopyTo = (target: Uint8Array) => void

export class MessageRing {
  readonly notEmpty: WaitSet
  readonly notFull: Room
  /** The readers' lock. */
  readonly readLock: LeafLock
  readonly #session: Session
  readonly #state: RingState
  readonly #writer: RingWriter
  readonly #reader: RingReader
  readonly #writeLock: LeafLock
  #shortOfMemory = false

  /**
   * @param base first of `RING_WORDS` words.
   * @param sets first of `RING_SETS` wait sets.
   * @param index of the object that the words belong to: its mark is on the ring's pages.
   */
  constructor(session: Session, base: number, sets: number, index: number) {
    const { agent, waiting, words } = session
    this.#session = session
    this.#state = new RingState(words, base)
    this.#writer = new RingWriter(this.#state, session.pages, index)
    this.#reader = new RingReader(this.#state, session, index)
    this.#writeLock = new LeafLock(agent, waiting, base + RING.writeLock, sets)
    this.readLock = new LeafLock(agent, waiting, base + RING.readLock, sets + WAIT_SET_WORDS)
    this.notEmpty = new WaitSet(agent, sets + 2 * WAIT_SET_WORDS)
    this.notFull = new Room(agent, sets + 3 * WAIT_SET_WORDS, session.memory)
  }

  /** How many messages are in it. */
  get size(): number {
    return this.#state.size
  }

  /** How many messages have been put, modulo 2^31. */
  get put(): number {
    return this.#state.put
  }

  /** How many messages have been taken, modulo 2^31. */
  get taken(): number {
    return this.#state.taken
  }

  /** How many bytes of messages are in it. */
  get byteLength(): number {
    return this.#state.byteLength
  }

  get closed(): boolean {
    return this.#state.closed
  }

  /** Whether it is closed and empty: there will never be another message. */
  get drained(): boolean {
    return this.closed && this.size === 0
  }

  /** No more messages: writers fail from now on, readers when it is drained. */
  close(): void {
    const { words, base } = this.#state
    // SYNC: in the lock, so that no writer is under way: a reader that sees it, then an empty ring, has seen all.
    this.#writeLock.lock()
    Atomics.store(words, base + RING.closed, 1)
    this.#writeLock.unlock()
    this.notEmpty.wakeAll()
    this.notFull.wakeAll()
  }

  /**
   * Puts a message: the first `length` of these bytes, which are not kept.
   *
   * @param copyTo writes the message, when these bytes are not all of it; only for one that gets pages of its own.
   * @param ends of the copies that it names.
   * @throws MessageTooLargeError when it can never fit.
   */
  tryPutOne(bytes: Uint8Array, length: number, copyTo?: CopyTo, ends?: Ends): PutResult {
    let extent: Extent | null = null
    if (needsExtent(length)) {
      checkFits(this.#session.pages, length)
      if (this.#state.closed) return 'closed'
      if (this.#state.isFull()) return 'full'
      extent = takeExtent(this.#session, length)
      if (extent === null) return this.#answer('short')
      const target = this.#session.pages.bytes(extent.page, length)
      if (copyTo === undefined) target.set(bytes.subarray(0, length))
      else copyTo(target)
    }
    this.#writeLock.lock()
    const result = this.#writer.writeOne(bytes, length, extent, ends)
    this.#writeLock.unlock()
    if (result === 'put') {
      this.#wakeReader()
    } else if (extent !== null) {
      freeRun(this.#session, extent.page, extent.pages)
    }
    return this.#answer(result)
  }

  /**
   * Puts a short message that lies in a row of words, as `tryPutOne` does, without a view of it.
   *
   * @param start its first word.
   * @param length in bytes; `isShortMessage` says whether it is short.
   */
  tryPutWords(words: Int32Array, start: number, length: number): PutResult {
    this.#writeLock.lock()
    const result = this.#writer.writeWords(words, start, length)
    this.#writeLock.unlock()
    if (result === 'put') this.#wakeReader()
    return this.#answer(result)
  }

  /**
   * Puts messages, all or none: they become visible in one store.
   *
   * Those that lie in pages already stay the caller's unless they are put.
   *
   * @param ends of the copies that they name.
   * @throws MessageTooLargeError when they can never fit.
   */
  tryPut(messages: readonly Message[], ends?: Ends): PutResult {
    if (messages.length === 1 && !(messages[0] instanceof Extent))
      return this.tryPutOne(messages[0], messages[0].byteLength, undefined, ends)
    checkFitTogether(this.#session.pages, messages)
    if (this.#state.closed) return 'closed'
    if (messages.length === 0) return 'put'
    if (this.#state.isFull()) return 'full'
    const extents = fillExtents(this.#session, messages)
    if (extents === null) return this.#answer('short')
    this.#writeLock.lock()
    const result = this.#writer.write(messages, extents, ends)
    this.#writeLock.unlock()
    if (result === 'put') {
      // Who is woken and leaves some behind wakes the next.
      if (this.notEmpty.any()) this.notEmpty.wakeOne()
    } else {
      freeExtents(this.#session, messages, extents)
    }
    return this.#answer(result)
  }

  /**
   * A wait for room for these messages.
   *
   * @throws MessageTooLargeError when they can never fit.
   */
  putting(messages: readonly Message[], ends?: Ends): Waitable<true> {
    // At once, also when others stand in line.
    checkFitTogether(this.#session.pages, messages)
    return {
      set: this.notFull,
      attempt: () => {
        let result = 'full' as PutResult
        this.notFull.attempt(() => {
          this.#shortOfMemory = false
          result = this.tryPut(messages, ends)
          return !this.#shortOfMemory
        })
        if (result === 'closed') throw new RingClosedError()
        return result === 'put' ? true : PENDING
      },
      available: () => !this.#state.isFull(),
      recheckMs: () => (this.#shortOfMemory ? RECHECK_MS : Infinity),
    }
  }

  /** Whether a bound on messages or bytes is reached. */
  isFull(): boolean {
    return this.#state.isFull()
  }

  /**
   * Takes the first message.
   *
   * @param claim a word that gets `claimOf` the message's number just before it is taken, so that it can be told who died with it.
   * @param keeper keeps the message, its page and its pages, until it is done with.
   * @returns a copy of it, or null when there is none.
   */
  tryTake(claim = -1, keeper?: Keeper): Uint8Array<ArrayBuffer> | null {
    return this.#take(claim, keeper) ? this.#reader.copy() : null
  }

  /** As `tryTake`; a long message stays where it lies, to be read later. */
  tryTakeOrClaim(claim: number): Uint8Array<ArrayBuffer> | Taken | null {
    return this.#take(claim) ? this.#reader.copyOrKeep() : null
  }

  /**
   * Takes the first message and reads it without a copy of it.
   *
   * @param read is given bytes at whose start the message lies, and its length; they are gone when it returns.
   * @returns what `read` returns, or PENDING when there is no message.
   */
  tryRead<R>(read: ReadMessage<R>): R | Pending {
    return this.#take(-1) ? this.#reader.read(read) : PENDING
  }

  /** Takes the first message to be read later, or null when there is none. */
  tryClaim(): Taken | null {
    return this.#take(-1) ? this.#reader.keep() : null
  }

  /** A wait for a message. */
  taking(claim = -1): Waitable<Uint8Array<ArrayBuffer>> {
    return this.takingBy(() => this.tryTake(claim))
  }

  /** A wait for a message that `tryTakeOrClaim` takes. */
  takingOrClaiming(claim: number): Waitable<Uint8Array<ArrayBuffer> | Taken> {
    return this.takingBy(() => this.tryTakeOrClaim(claim))
  }

  /** A wait for a message that is read when the wait is over. */
  claiming(): Waitable<Taken> {
    return this.takingBy(() => this.tryClaim())
  }

  /** A wait until there is a message (or never will be); takes nothing. */
  polling(): Waitable<true> {
    return {
      set: this.notEmpty,
      attempt: () => (this.isAvailable() || this.drained ? true : PENDING),
      available: () => this.isAvailable(),
    }
  }

  /** Whether there is something to take. */
  protected isAvailable(): boolean {
    return this.size !== 0
  }

  /** A wait until `take` gets something. */
  protected takingBy<T>(take: () => T | null): Waitable<T> {
    return {
      set: this.notEmpty,
      attempt: () => {
        const taken = take()
        if (taken !== null) return taken
        if (this.drained) throw new RingClosedError()
        return PENDING
      },
      available: () => this.isAvailable(),
    }
  }

  #take(claim: number, keeper?: Keeper): boolean {
    this.#reader.prepare()
    this.readLock.lock()
    const result = this.#reader.take(claim, keeper)
    this.readLock.unlock()
    if (result === 'empty') return false
    if (result === 'refused') throw keeper!.refusal()
    if (result === 'corrupt') throw new CorruptRingError()
    this.#reader.tidy()
    if (this.notFull.any()) this.notFull.wakeOne()
    return true
  }

  #wakeReader(): void {
    // SYNC: a reader arms its bit, then looks for messages; we commit, then look for bits.
    if (this.notEmpty.any()) this.notEmpty.wakeOne()
  }

  #answer(result: WriteResult): PutResult {
    if (result === 'corrupt') throw new CorruptRingError()
    this.#shortOfMemory = result === 'short'
    return result === 'short' ? 'full' : result
  }
}
