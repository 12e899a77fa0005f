/**
 * A list of plain values that processes and threads share.
 *
 * Each item has a slot of fixed room. A reader sees the old item or the new one,
 * never a mix, whoever dies while writing: `shareable-slots.ts` has how.
 *
 * @module
 */
import { ORIGIN } from './origin.js'
import { outOfRange, wrongType } from './arguments.js'
import { OBJECT_TYPE, PAGE_BYTES } from './layout.js'
import { LeafLock } from './leaf-lock.js'
import { type Shareable, decodeItem, encodeItem, isSame } from './shareable-item.js'
import { Slots, bytesFor } from './shareable-slots.js'
import { OWNED, OWNED_WORDS } from './shared-layout.js'
import { Attachment, type Origin } from './shared-object.js'
import { OwnedObject } from './shared-owned.js'

/** `true` and `5` as types are those of the first items; what may be set is wider. */
type Widened<T extends Shareable> = T extends boolean
  ? boolean
  : T extends number
    ? number
    : T extends bigint
      ? bigint
      : T extends string
        ? string
        : T

/**
 * A list of fixed length in shared memory; Python's `multiprocessing.shared_memory.ShareableList`.
 *
 * An item may be replaced by one of any kind that fits its slot: a slot has 8 bytes (for null, a
 * boolean, a number, a bigint of 64 bits), or as many as its first item needed. Strings (in UTF-8)
 * and bytes get room in steps of 8 bytes, up to 8 bytes more than they need.
 *
 * It may be an argument of a process or task, an item of a queue, a message on a connection. Each
 * read and each write is one step; for steps that belong together, use a lock.
 *
 * @example
 * const list = new ShareableList<string | number>(['idle', 0])
 * list.set(0, 'busy')
 * console.log([...list])
 */
export class ShareableList<T extends Shareable = Shareable> extends OwnedObject {
  /** How many items it has. */
  readonly length: number
  readonly #slots: Slots

  /**
   * Makes a list of these items.
   *
   * @throws TypeError for an item that is of no kind that it can hold; OutOfSharedMemoryError
   * (`ERR_MP_OUT_OF_MEMORY`) when there is no room.
   */
  constructor(items: Iterable<T>)
  /** @internal */
  constructor(attachment: Attachment)
  constructor(items: Iterable<T> | Attachment) {
    const attachment = items instanceof Attachment ? items : undefined
    const encoded = items instanceof Attachment ? undefined : encodeAll(items)
    super(
      attachment,
      { type: OBJECT_TYPE.list, words: OWNED_WORDS, sets: OWNED.lockSet, setCount: 1 },
      (words, base) => Atomics.store(words, base + OWNED.lengthLow, encoded?.length ?? 0),
    )
    const { agent, words, waiting, pages } = this.session
    const { base } = this.handle
    this.length = Atomics.load(words, base + OWNED.lengthLow)
    if (encoded !== undefined) {
      this.takePages(bytesFor(encoded), `a ShareableList of ${encoded.length} items`)
    }
    const byteLength = Atomics.load(words, base + OWNED.pages) * PAGE_BYTES
    const bytes = pages.bytes(Atomics.load(words, base + OWNED.page), byteLength)
    const lock = new LeafLock(agent, waiting, base + OWNED.lock, base + OWNED.lockSet)
    this.#slots = new Slots(bytes, lock)
    if (encoded !== undefined) this.#slots.fill(encoded)
  }

  /**
   * The item at an index; a negative one counts from the end.
   *
   * @throws RangeError when there is no such item.
   */
  get(index: number): Widened<T> {
    return decodeItem(this.use(this.#slots).read(this.#check(index))) as Widened<T>
  }

  /** As `get`, but undefined when there is no such item; as in arrays. */
  at(index: number): Widened<T> | undefined {
    const i = Math.trunc(index) || 0
    return i < -this.length || i >= this.length ? undefined : this.get(i)
  }

  /**
   * Replaces the item at an index.
   *
   * @throws RangeError when there is no such item, or when the new one needs more room than the slot has; TypeError
   * when it cannot be an item. The old one stays then.
   */
  set(index: number, item: Widened<T>): void {
    const i = this.#check(index)
    const encoded = encodeItem('item', item)
    const capacity = this.use(this.#slots).capacity(i)
    if (encoded.bytes.byteLength > capacity) {
      throw outOfRange(
        'item',
        `of at most ${capacity} bytes, which is the room at ${i}; it has ${encoded.bytes.byteLength}`,
        item,
      )
    }
    this.use(this.#slots).write(i, encoded)
  }

  /** How many items are equal to `item`. */
  count(item: Widened<T>): number {
    let count = 0
    for (const each of this) if (isSame(each, item)) count++
    return count
  }

  /** Where the first item equal to `item` is; -1 when there is none. NaN is found, bytes by what they hold. */
  indexOf(item: Widened<T>): number {
    for (let i = 0; i < this.length; i++) if (isSame(this.get(i), item)) return i
    return -1
  }

  /** As `indexOf`, as Python has it: throws RangeError when there is none. */
  index(item: Widened<T>): number {
    const index = this.indexOf(item)
    if (index < 0) throw outOfRange('item', 'in the list', item)
    return index
  }

  /** Goes through the items, as they are when their turn comes. */
  *[Symbol.iterator](): Generator<Widened<T>, undefined, undefined> {
    for (let i = 0; i < this.length; i++) yield this.get(i)
  }

  /** @internal */
  protected override origin(): Origin {
    return { module: ORIGIN, name: 'ShareableList' }
  }

  #check(index: number): number {
    const { length } = this
    const allowed = `an integer from ${-length} to ${length - 1}`
    if (typeof index !== 'number') throw wrongType('index', allowed, index)
    if (!Number.isInteger(index) || index < -length || index >= length) {
      throw outOfRange(
        'index',
        length === 0 ? 'that of an item, and there is none' : allowed,
        index,
      )
    }
    return index < 0 ? index + length : index
  }
}

function encodeAll(items: unknown): ReturnType<typeof encodeItem>[] {
  if (typeof items !== 'object' || items === null || !(Symbol.iterator in items)) {
    throw wrongType('items', 'an iterable of items', items)
  }
  return Array.from(items as Iterable<unknown>, (item, i) => {
    // A copy: bytes may change while the iteration goes on.
    const { kind, bytes } = encodeItem(`items[${i}]`, item)
    return { kind, bytes: item instanceof Uint8Array ? bytes.slice() : bytes }
  })
}
