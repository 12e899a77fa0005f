/**
 * A typed array that processes and threads share.
 *
 * Its elements lie in data pages of the session; every agent that gets the handle
 * sees the same bytes, without copying. Plain reads and writes are not ordered
 * between agents: use a lock, or `Atomics` on the array, as with any shared memory.
 *
 * @module
 */
import { ORIGIN } from './origin.js'
import { checkInteger, wrongType } from './arguments.js'
import { OBJECT_TYPE } from './layout.js'
import { MultiprocessingError, OutOfSharedMemoryError } from './errors.js'
import {
  type ElementOf,
  type NumberType,
  type TypedArray,
  type TypedArrayConstructor,
  checkNumber,
  findType,
} from './number-types.js'
import { OWNED, OWNED_WORDS } from './shared-layout.js'
import { Attachment, type Origin, type Reduced } from './shared-object.js'
import { OwnedObject } from './shared-owned.js'

/** What to make, checked. */
interface Plan {
  readonly type: NumberType
  readonly length: number
  readonly items: readonly (number | bigint)[] | undefined
}

/**
 * A typed array in shared memory, of fixed length; Python's `multiprocessing.Array`, without its lock.
 *
 * It may be an argument of a process or task, an item of a queue, a message on a connection: on the
 * other side it is the same memory. The memory is given back when no process or thread uses the
 * array any more; a process that dies uses nothing.
 *
 * Do not transfer the array's buffer (`buffer.transfer()`): what is transferred no longer counts as use.
 *
 * @example
 * const totals = new SharedArray(Float64Array, 1_000)
 * totals.array[3] = 0.5
 * for (const total of totals) console.log(total)
 */
export class SharedArray<T extends TypedArray = TypedArray> extends OwnedObject {
  /** How many elements it has. */
  readonly length: number
  readonly #type: NumberType
  #array: T
  #letGoOfBuffer = (): void => {}

  /**
   * Makes an array of zeros, or of the given items.
   *
   * @param type the constructor of the typed array, such as `Float64Array`.
   * @param lengthOrItems how many elements, or the elements.
   * @throws TypeError or RangeError for a type that is none, a length that is no length, or an item that does
   * not fit the type; OutOfSharedMemoryError (`ERR_MP_OUT_OF_MEMORY`) when there is no room.
   */
  constructor(type: TypedArrayConstructor<T>, lengthOrItems: number | Iterable<ElementOf<T>>)
  /** @internal */
  constructor(attachment: Attachment)
  constructor(
    type: TypedArrayConstructor<T> | Attachment,
    lengthOrItems?: number | Iterable<ElementOf<T>>,
  ) {
    const attachment = type instanceof Attachment ? type : undefined
    const plan = type instanceof Attachment ? undefined : planOf(type, lengthOrItems)
    super(attachment, { type: OBJECT_TYPE.array, words: OWNED_WORDS }, (words, base) => {
      if (plan === undefined) return
      Atomics.store(words, base + OWNED.type, plan.type.code)
      Atomics.store(words, base + OWNED.lengthLow, plan.length | 0)
      Atomics.store(words, base + OWNED.lengthHigh, Math.floor(plan.length / 2 ** 32))
    })
    const { words } = this.session
    const { base } = this.handle
    const low = Atomics.load(words, base + OWNED.lengthLow) >>> 0
    this.length = Atomics.load(words, base + OWNED.lengthHigh) * 2 ** 32 + low
    this.#type = findType({ code: Atomics.load(words, base + OWNED.type) })!
    if (plan !== undefined) this.#allocate()
    this.#array = this.#map(plan !== undefined)
    if (plan?.items !== undefined) (this.#array as unknown as Filled).set(plan.items)
  }

  /** An ordinary typed array over the shared bytes; the same one at every call. */
  get array(): T {
    this.use(this)
    // Somebody has detached its buffer. That does nothing to the memory.
    if (this.#array.length !== this.length) this.#array = this.#map(false)
    return this.#array
  }

  /** Detaches its typed arrays too, which have no elements then. */
  override close(): void {
    super.close()
    const { buffer } = this.#array
    if (buffer.byteLength > 0) this.session.native.detach(buffer)
    this.#letGoOfBuffer()
  }

  /** @internal */
  override reduceHandle(): Reduced {
    const { index, generation } = this.handle
    const { buffer } = this.array
    if (buffer instanceof SharedArrayBuffer) {
      this.session.native.bare?.blocks.keep(index, generation, buffer)
    }
    return super.reduceHandle()
  }

  /** Goes through the elements, as they are when their turn comes. */
  [Symbol.iterator](): IterableIterator<ElementOf<T>> {
    return this.array[Symbol.iterator]() as IterableIterator<ElementOf<T>>
  }

  /** @internal */
  protected override origin(): Origin {
    return { module: ORIGIN, name: 'SharedArray' }
  }

  #allocate(): void {
    const { name, BYTES_PER_ELEMENT } = this.#type.array
    const byteLength = this.length * BYTES_PER_ELEMENT
    // Memory of its own is made when it is mapped.
    if (byteLength === 0 || this.session.native.bare !== undefined) return
    const what = `a SharedArray of ${this.length} elements of ${name} (${byteLength} bytes)`
    const first = this.takePages(byteLength, what)
    this.wipePages(first, Atomics.load(this.session.words, this.handle.base + OWNED.pages))
  }

  #map(isNew: boolean): T {
    const byteLength = this.length * this.#type.array.BYTES_PER_ELEMENT
    let array: T
    try {
      const buffer = byteLength === 0 ? new ArrayBuffer(0) : this.#show(byteLength, isNew)
      array = new this.#type.array(buffer as ArrayBuffer) as T
    } catch (error) {
      if (isNew) super.close()
      if (error instanceof MultiprocessingError) throw error
      throw new OutOfSharedMemoryError(
        `Node cannot show ${byteLength} bytes in one ${this.#type.array.name}: ${(error as Error).message}`,
      )
    }
    // The elements stay while the buffer can be reached, be it that the SharedArray was forgotten.
    this.#letGoOfBuffer = this.keepWhile(array.buffer)
    return array
  }

  #show(byteLength: number, isNew: boolean): ArrayBufferLike {
    const { pages, native, words } = this.session
    const { index, generation, base } = this.handle
    if (native.bare === undefined) {
      return pages.buffer(Atomics.load(words, base + OWNED.page), byteLength)
    }
    const { blocks } = native.bare
    return isNew ? blocks.make(index, generation, byteLength) : blocks.find(index, generation)
  }
}

/** Takes elements of whichever kind; they were checked. */
interface Filled {
  set(items: readonly (number | bigint)[]): void
}

function planOf(constructor: unknown, lengthOrItems: unknown): Plan {
  const type = findType({ array: constructor as TypedArrayConstructor<TypedArray> })
  if (type === undefined) {
    throw wrongType('type', 'a constructor of typed arrays, such as Float64Array', constructor)
  }
  if (typeof lengthOrItems === 'number') {
    return { type, length: checkInteger('length', lengthOrItems, 0), items: undefined }
  }
  if (!isIterable(lengthOrItems)) {
    throw wrongType('lengthOrItems', 'a number of elements, or the elements', lengthOrItems)
  }
  const items = Array.from(lengthOrItems, (item, i) => checkNumber(type, `items[${i}]`, item))
  return { type, length: items.length, items }
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}
