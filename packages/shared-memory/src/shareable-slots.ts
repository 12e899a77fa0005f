/**
 * The slots of a `ShareableList`: bytes that are read whole or not at all.
 *
 * A slot has room for its item twice. A writer, under the list's leaf lock, fills
 * the room that is not in use, and commits by one store of a word that says which
 * is. A reader takes no lock: it copies, and starts over when the word has changed
 * meanwhile. A writer that dies midway has changed nothing. LMDB's pair of meta
 * pages, with a seqlock's reader.
 *
 * @module
 */
import type { LeafLock } from './leaf-lock.js'
import { type Encoded, STEP, capacityFor } from './shareable-item.js'

/**
 * A slot, in bytes from its start.
 *
 * | bytes         | meaning                                                                        |
 * | ------------- | ------------------------------------------------------------------------------ |
 * | 0–3           | commit: how often it was written × 2 + which of the two rooms has the item     |
 * | 8–            | room 0: kind (4 bytes), length in bytes (4), the item (the slot's capacity)    |
 * | 16 + capacity | room 1, likewise                                                               |
 *
 * Before the slots there is a table: where each one starts, and where the last one ends, in steps of 8 bytes.
 */
const SLOT_HEADER = 8
const ROOM_HEADER = 8

/** How often to try to read before making the writers wait. */
const TRIES = 100

function slotBytes(capacity: number): number {
  return SLOT_HEADER + 2 * (ROOM_HEADER + capacity)
}

function tableBytes(length: number): number {
  return Math.ceil(((length + 1) * 4) / STEP) * STEP
}

/** How many bytes the slots for these items take, table and all. */
export function bytesFor(items: readonly Encoded[]): number {
  let total = tableBytes(items.length)
  for (const item of items) total += slotBytes(capacityFor(item))
  return total
}

export class Slots {
  readonly #bytes: Uint8Array
  readonly #words: Int32Array
  readonly #lock: LeafLock

  /** @param bytes start at a multiple of 8. @param lock held by whoever writes. */
  constructor(bytes: Uint8Array, lock: LeafLock) {
    this.#bytes = bytes
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    this.#lock = lock
  }

  /** Lays out the slots for these items, and puts them there. Nobody else knows of them yet. */
  fill(items: readonly Encoded[]): void {
    let start = tableBytes(items.length)
    for (const [i, item] of items.entries()) {
      this.#words[i] = start / STEP
      this.#words[start / 4] = 0
      this.#put(start + SLOT_HEADER, item)
      start += slotBytes(capacityFor(item))
    }
    this.#words[items.length] = start / STEP
  }

  /** How many bytes an item of the slot may have. */
  capacity(index: number): number {
    return (this.#start(index + 1) - this.#start(index) - SLOT_HEADER) / 2 - ROOM_HEADER
  }

  read(index: number): Encoded {
    for (let n = 0; n < TRIES; n++) {
      const item = this.#tryRead(index)
      if (item !== null) return item
    }
    this.#lock.lock()
    const item = this.#tryRead(index)
    this.#lock.unlock()
    return item!
  }

  /** Replaces a slot's item by one that fits its capacity. */
  write(index: number, item: Encoded): void {
    const start = this.#start(index)
    const room = ROOM_HEADER + this.capacity(index)
    this.#lock.lock()
    const seen = Atomics.load(this.#words, start / 4)
    const other = (seen & 1) ^ 1
    // SYNC: the lock's CAS orders these after the commit that put the other room out of use.
    this.#put(start + SLOT_HEADER + other * room, item)
    // CRASH: before this store the old item stands, after it the new one does.
    Atomics.store(this.#words, start / 4, (((seen >>> 1) + 1) << 1) | other)
    this.#lock.unlock()
  }

  #start(index: number): number {
    return (this.#words[index] >>> 0) * STEP
  }

  /** Null when a writer came in between. */
  #tryRead(index: number): Encoded | null {
    const start = this.#start(index)
    const capacity = this.capacity(index)
    const seen = Atomics.load(this.#words, start / 4)
    const room = start + SLOT_HEADER + (seen & 1) * (ROOM_HEADER + capacity)
    const kind = this.#words[room / 4]
    const length = Math.min(this.#words[room / 4 + 1], capacity)
    const bytes = this.#bytes.slice(room + ROOM_HEADER, room + ROOM_HEADER + length)
    // SYNC: a swap, not a load: no load above may come after it. Two commits before the room is written again, so
    // the same word means that it was not.
    if (Atomics.compareExchange(this.#words, start / 4, seen, seen) !== seen) return null
    return { kind, bytes }
  }

  #put(room: number, { kind, bytes }: Encoded): void {
    this.#words[room / 4] = kind
    this.#words[room / 4 + 1] = bytes.byteLength
    this.#bytes.set(bytes, room + ROOM_HEADER)
  }
}
