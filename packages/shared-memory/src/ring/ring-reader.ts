/**
 * The side of a ring that messages go out by.
 *
 * SYNC: positions and our own commit word are read plainly, as by the writer: only in the read lock, and records only
 * once the writers' commit word, read by `Atomics`, says that they are there.
 *
 * @module
 */
import { OBJECT_OWNER, PAGE_BYTES } from '../layout.js'
import { type Pages, pagesFor } from '../pages.js'
import type { Session } from '../session.js'
import { copyWords, isShort } from './copy.js'
import { Deliveries, Delivery } from './delivery.js'
import type { Keeper } from './kept.js'
import {
  END,
  EXTENT_BYTES,
  INLINE_MAX,
  KIND,
  PAGE_START,
  POSITION_WORDS,
  RECORD_HEADER,
  RING,
  WITH_ENDS,
  recordBytes,
} from './layout.js'
import { needsExtent } from './message.js'
import { Places } from './places.js'
import { type RingState, advance } from './ring-state.js'
import { type ReadMessage, Taken } from './taken.js'
import { Taking } from './taking.js'

/**
 * Where this thread's readers copy a short message to; undefined while somebody reads one there, who may run code of
 * users that reads the next.
 */
let spare: Scratch | undefined

/** How a take ended. `refused`: the keeper cannot keep it. `corrupt`: the ring's words make no sense; they stay. */
export type TakeResult = 'taken' | 'empty' | 'refused' | 'corrupt'

interface Scratch {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly words: Int32Array
}

export class RingReader {
  readonly #state: RingState
  readonly #session: Session
  readonly #pages: Pages
  readonly #places: Places
  readonly #taking: Taking
  readonly #deliveries: Deliveries
  /** Of the message taken last: its length, and the pages that it lies in, or -1. */
  #length = 0
  #extentPage = -1
  #extentPages = 0
  /** Whether it names ends of pipes. */
  #hasEnds = false
  /** Whether somebody keeps it, and its pages are not ours to free. */
  #isKept = false
  /** A page that was read to its end, or -1. */
  #emptied = -1

  /** @param index of the object that the ring is part of. */
  constructor(state: RingState, session: Session, index: number) {
    const { pages, agent } = session
    const { words, base } = state
    this.#state = state
    this.#session = session
    this.#pages = pages
    this.#places = new Places(pages.arena, index)
    this.#taking = new Taking(words, base, pages.arena, OBJECT_OWNER | index, agent.tag)
    this.#deliveries = new Deliveries(agent, base)
  }

  /** Before the lock: allocates what `take` needs. */
  prepare(): void {
    spare ??= newScratch()
  }

  /**
   * Inside the read lock: takes the first message out.
   *
   * @param claim a word that gets `claimOf` the message's number just before it is taken, or -1.
   * @param keeper keeps the message, its page and its pages, until it is done with.
   */
  take(claim: number, keeper: Keeper | undefined): TakeResult {
    const { words, base } = this.#state
    const pages = this.#pages
    const head = words[base + RING.head]
    if (head >>> 1 === this.#state.put) return 'empty'
    const at = base + RING.readPositions + (head & 1) * POSITION_WORDS
    const first = words[at] === 0
    const oldPage = (first ? Atomics.load(words, base + RING.firstPage) : words[at]) - 1
    let page = oldPage
    let offset = first ? PAGE_START : words[at + 1]
    if (!this.#places.has(page, offset)) return 'corrupt'
    let data = pages.windowWords(page)
    let record = (pages.offset(page) + offset) >>> 2
    if (offset + RECORD_HEADER > PAGE_BYTES || data[record] === END) {
      page = data[pages.offset(page) >>> 2] - 1
      offset = PAGE_START
      if (!this.#places.has(page, offset)) return 'corrupt'
      data = pages.windowWords(page)
      record = (pages.offset(page) + offset) >>> 2
    }
    const length = data[record]
    const kind = data[record + 1]
    const isExtent = (kind & KIND.extent) !== 0
    if (kind >>> 0 > (KIND.extent | WITH_ENDS)) return 'corrupt'
    if (isExtent) {
      this.#extentPage = data[record + 2]
      this.#extentPages = data[record + 3]
      if (!this.#isExtent(length)) return 'corrupt'
      // What is kept stays the object's.
      if (keeper === undefined && !this.#taking.begin(head, this.#extentPage, this.#extentPages))
        return 'corrupt'
    } else {
      if (length >>> 0 > INLINE_MAX) return 'corrupt'
      if (offset + RECORD_HEADER + length > PAGE_BYTES) return 'corrupt'
      this.#extentPage = -1
      const { bytes, words: target } = spare!
      if (isShort(length)) copyWords(data, record + 2, length, target, 0)
      else {
        const start = (record + 2) << 2
        bytes.set(pages.window(page).subarray(start, start + length))
      }
    }
    const next = base + RING.readPositions + (1 - (head & 1)) * POSITION_WORDS
    words[next] = page + 1
    words[next + 1] = offset + recordBytes(isExtent ? EXTENT_BYTES : length)
    words[next + 2] = (words[at + 2] + length) | 0
    this.#length = length
    this.#isKept = keeper !== undefined
    this.#emptied = page === oldPage || keeper !== undefined ? -1 : oldPage
    if (claim >= 0) Atomics.store(words, claim, claimOf(head >>> 1))
    if (keeper !== undefined && !keeper.keep(head >>> 1, page, offset)) return 'refused'
    // What is kept may be decoded any number of times, and names no ends.
    this.#hasEnds = (kind & WITH_ENDS) !== 0 && keeper === undefined
    if (this.#hasEnds) this.#deliveries.begin()
    // SYNC: publishes the position. CRASH: before this store the message is still there for the next reader, after it
    // it is ours.
    Atomics.store(words, base + RING.head, advance(head, 1))
    if (isExtent && keeper === undefined) this.#taking.end()
    return 'taken'
  }

  /** Whether the pages of a record can be those of a message of that length. */
  #isExtent(length: number): boolean {
    const isWhole = needsExtent(length) && this.#extentPages === pagesFor(length)
    return isWhole && this.#pages.arena.has(this.#extentPage, this.#extentPages)
  }

  /** After `take`, outside of the lock: frees a page that was read to its end. */
  tidy(): void {
    if (this.#emptied >= 0) this.#pages.arena.free(this.#emptied, 1)
  }

  /** The message taken last, as bytes of the caller's own. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.#hasEnds || this.#extentPage >= 0
      ? this.keep().read(ownCopy)
      : spare!.bytes.slice(0, this.#length)
  }

  /** The message taken last, as bytes of the caller's own; a long one where it lies, to be read later. */
  copyOrKeep(): Uint8Array<ArrayBuffer> | Taken {
    return this.#extentPage >= 0 ? this.keep() : this.copy()
  }

  /** The message taken last, to be read later. */
  keep(): Taken {
    const page = this.#extentPage
    const bytes =
      page < 0 ? spare!.bytes.slice(0, this.#length) : this.#pages.bytes(page, this.#length)
    return new Taken(
      bytes,
      this.#session,
      this.#isKept ? -1 : page,
      this.#extentPages,
      this.#delivery(),
    )
  }

  /** Shows the message taken last, which lies at the start of the bytes given, until `read` returns. */
  read<R>(read: ReadMessage<R>): R {
    if (this.#extentPage >= 0) return this.keep().read(read)
    const delivery = this.#delivery()
    const scratch = spare!
    spare = undefined
    try {
      return read(scratch.bytes, this.#length, delivery)
    } finally {
      spare = scratch
      if (delivery?.isPutOff === false) delivery.end()
    }
  }

  #delivery(): Delivery | undefined {
    return this.#hasEnds ? new Delivery(this.#deliveries) : undefined
  }
}

function newScratch(): Scratch {
  const bytes = new Uint8Array(INLINE_MAX)
  return { bytes, words: new Int32Array(bytes.buffer) }
}

/** What a claim word holds for a message number: never 0. */
export function claimOf(number: number): number {
  return (number + 1) | 0
}

/** The first bytes of these in memory of the caller's own; long ones in memory that nobody fills with zeros first. */
export function ownCopy(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  if (length <= INLINE_MAX) return new Uint8Array(bytes.subarray(0, length))
  const copy = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  copy.set(bytes.byteLength === length ? bytes : bytes.subarray(0, length))
  return copy
}
