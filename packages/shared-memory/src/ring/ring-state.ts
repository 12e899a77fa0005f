/**
 * What both sides of a ring know of it: counts, bounds, whether it is closed.
 *
 * @module
 */
import { POSITION_WORDS, RING } from './layout.js'

/** Messages are counted modulo 2^31. */
export const COUNT_MASK = 0x7fffffff

export class RingState {
  /** The control region. */
  readonly words: Int32Array
  /** First of the ring's words. */
  readonly base: number
  // The maker has set them before anybody else knew of the ring, and nobody changes them.
  readonly #maxItems: number
  readonly #maxBytes: number

  constructor(words: Int32Array, base: number) {
    this.words = words
    this.base = base
    this.#maxItems = Atomics.load(words, base + RING.maxItems)
    this.#maxBytes = Atomics.load(words, base + RING.maxBytes)
  }

  /** How many messages are in it. */
  get size(): number {
    return (this.put - this.taken) & COUNT_MASK
  }

  /** How many messages have been put, modulo 2^31. */
  get put(): number {
    return Atomics.load(this.words, this.base + RING.tail) >>> 1
  }

  /** How many messages have been taken, modulo 2^31. */
  get taken(): number {
    return Atomics.load(this.words, this.base + RING.head) >>> 1
  }

  /** `closed`, for a writer: nobody closes it but in the writers' lock. */
  get isClosed(): boolean {
    return this.words[this.base + RING.closed] !== 0
  }

  get closed(): boolean {
    return Atomics.load(this.words, this.base + RING.closed) !== 0
  }

  /** How many bytes of messages are in it. */
  get byteLength(): number {
    const written = this.#position(RING.tail, RING.writePositions) + 2
    const read = this.#position(RING.head, RING.readPositions) + 2
    return (Atomics.load(this.words, written) - Atomics.load(this.words, read)) >>> 0
  }

  /** Whether a bound on messages or bytes is reached. */
  isFull(): boolean {
    return (
      (this.#maxItems !== 0 && this.size >= this.#maxItems) ||
      (this.#maxBytes !== 0 && this.byteLength >= this.#maxBytes)
    )
  }

  /** Whether so many messages, of so many bytes together, may come in. For a writer, in its lock. */
  hasRoom(count: number, bytes: number): boolean {
    const { words, base } = this
    if (this.#maxItems === 0 && this.#maxBytes === 0) return true
    const tail = words[base + RING.tail]
    const head = Atomics.load(words, base + RING.head)
    const size = ((tail >>> 1) - (head >>> 1)) & COUNT_MASK
    if (this.#maxItems !== 0 && size + count > this.#maxItems) return false
    // What is larger than the bound goes alone.
    if (this.#maxBytes === 0 || size === 0) return true
    const written = words[base + RING.writePositions + (tail & 1) * POSITION_WORDS + 2]
    const read = words[base + RING.readPositions + (head & 1) * POSITION_WORDS + 2]
    return ((written - read) >>> 0) + bytes <= this.#maxBytes
  }

  #position(commit: number, positions: number): number {
    const side = Atomics.load(this.words, this.base + commit) & 1
    return this.base + positions + side * POSITION_WORDS
  }
}

/** The commit word after `count` more messages: the other position is valid now. */
export function advance(word: number, count: number): number {
  return (((word >>> 1) + count) << 1) | (1 - (word & 1)) | 0
}
