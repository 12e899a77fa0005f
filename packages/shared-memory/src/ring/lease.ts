/**
 * What was received without being copied.
 *
 * A long message lies in pages of its own, and a lease shows them where they are. Its end empties every ArrayBuffer over
 * them before anybody else can get them, so nothing ever reads memory that is another's by then. A short message is
 * copied, and its lease behaves the same, so that a program does not depend on the length of what it gets.
 *
 * @module
 */
import { wrongType } from '../arguments.js'
import { MultiprocessingError } from '../errors.js'
import { PageRun, freeRun } from '../page-run.js'
import type { Session } from '../session.js'
import { reduceSymbol } from '../shared-object.js'
import type { Delivery } from './delivery.js'
import { Extent } from './message.js'

/** Asks a receiving method for a lease. */
export interface LeaseOption {
  /**
   * Whether to leave a long message in shared memory, and get a lease of it, instead of a copy.
   *
   * @default false
   */
  lease: true
}

/** Whether a lease is asked for. */
export function checkLease(options: Partial<LeaseOption> | undefined): boolean {
  const lease: unknown = options?.lease
  if (lease !== undefined && typeof lease !== 'boolean')
    throw wrongType('lease', 'a boolean', lease)
  return lease === true
}

/** Makes the ArrayBuffer for some bytes of a message that is being decoded; a serializer is handed it. */
export type PlaceBytes = (start: number, byteLength: number) => ArrayBuffer

/** Shorter buffers are copied out of a message: showing them in place takes longer. */
const IN_PLACE_BYTES = 16_384
/** Elements of typed arrays have to start at a multiple of their size. */
const ALIGNMENT = 8

/**
 * A received value whose typed arrays and buffers may lie in shared memory, until it is released.
 *
 * Nobody else uses these bytes meanwhile: they may be read and written. They take room in the memory of the session
 * until `release()`; without it, until the lease and all buffers of the value are collected, or this process ends.
 *
 * @example
 * using lease = await queue.get({ lease: true })
 * sum(lease.value) // a Float64Array of any size, not copied
 */
export class Lease<T> implements Disposable {
  readonly #contents: LeasedBytes
  #value: T | undefined

  /** Receiving makes leases. @internal */
  constructor(value: T, contents: LeasedBytes) {
    this.#value = value
    this.#contents = contents
  }

  /**
   * What was received.
   *
   * @throws MultiprocessingError `ERR_MP_RELEASED` after `release()`.
   */
  get value(): T {
    if (this.#contents.isReleased) {
      throw new MultiprocessingError('ERR_MP_RELEASED', 'The lease has been released')
    }
    return this.#value as T
  }

  /** Whether it was released. */
  get released(): boolean {
    return this.#contents.isReleased
  }

  /**
   * Gives the memory back. From now on every typed array and buffer of the value is empty (its length is 0, its methods
   * throw). Releasing twice is fine.
   */
  release(): void {
    this.#value = undefined
    this.#contents.release()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

/** A received message of bytes that may lie in shared memory. */
export class BytesLease extends Lease<Uint8Array<ArrayBuffer>> {
  /** The bytes of the message. Throws as `value` does. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.value
  }
}

Object.defineProperty(Lease.prototype, reduceSymbol, {
  value() {
    throw new TypeError('A lease stays in the process that has received it: send its value')
  },
})

/** The bytes of a message that was taken: what they become has to be released. */
export class LeasedBytes {
  isReleased = false
  #run: PageRun | undefined
  readonly #bytes: Uint8Array<ArrayBuffer>
  /** Buffers in place, by where they start: a message that has to be decoded again gets them again. */
  readonly #placed = new Map<number, ArrayBuffer>()
  /** Buffers that were copied: they are emptied like the others. */
  readonly #copies: ArrayBuffer[] = []
  readonly #session: Session
  readonly #delivery: Delivery | undefined
  #isBare = false

  /** @param delivery of the message, when it names ends of pipes; ends when it is decoded. */
  constructor(session: Session, message: Uint8Array<ArrayBuffer> | Extent, delivery?: Delivery) {
    this.#session = session
    this.#delivery = delivery
    if (message instanceof Extent && session.native.bare !== undefined) {
      this.#bytes = takeOut(session, message)
    } else if (message instanceof Extent) {
      const { page, pages, byteLength } = message
      this.#run = open(session, page, pages)
      this.#bytes = new Uint8Array(this.#run.buffer(0, byteLength))
    } else {
      this.#bytes = message
    }
  }

  /** All of it, for the user. */
  bare(): BytesLease {
    this.#isBare = true
    this.#delivery?.end()
    return new BytesLease(this.#bytes, this)
  }

  /**
   * Decodes the message; releases it when that fails.
   *
   * @param read gets the bytes, which are gone afterwards, and what makes the buffers that the value is to have.
   */
  decode<T>(read: (bytes: Uint8Array, place: PlaceBytes) => T): Lease<T> {
    try {
      return this.#lease(read(this.#bytes, this.#place))
    } catch (error) {
      this.release()
      throw error
    } finally {
      if (this.#delivery?.isPutOff === false) this.#delivery.end()
    }
  }

  /** `decode`, when that has to wait for something. */
  async decodeAsync<T>(
    read: (bytes: Uint8Array, place: PlaceBytes) => Promise<T>,
  ): Promise<Lease<T>> {
    try {
      return this.#lease(await read(this.#bytes, this.#place))
    } catch (error) {
      this.release()
      throw error
    } finally {
      this.#delivery?.end()
    }
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    if (this.#isBare && this.#run === undefined) this.#empty(this.#bytes.buffer)
    for (const copy of this.#copies.splice(0)) this.#empty(copy)
    this.#run?.release()
  }

  #lease<T>(value: T): Lease<T> {
    if (this.#placed.size > 0) {
      this.#run?.detach(this.#bytes.buffer)
    } else {
      // Nothing of it lies in place.
      this.#run?.release()
      this.#run = undefined
    }
    return new Lease(value, this)
  }

  /** An arrow, to be handed on. */
  readonly #place: PlaceBytes = (start, byteLength) => {
    if (this.#run !== undefined && byteLength >= IN_PLACE_BYTES && start % ALIGNMENT === 0) {
      const buffer = this.#placed.get(start) ?? this.#run.buffer(start, byteLength)
      this.#placed.set(start, buffer)
      return buffer
    }
    const copy = this.#bytes.slice(start, start + byteLength).buffer
    this.#copies.push(copy)
    return copy
  }

  /** A copy may have been transferred: then it is the user's for good. */
  #empty(buffer: ArrayBuffer): void {
    if (buffer.byteLength > 0) this.#session.native.detach(buffer)
  }
}

/** Without the addon their memory cannot be shown. CRASH: the pages carry our tag until they are free. */
function takeOut(session: Session, { page, pages, byteLength }: Extent): Uint8Array<ArrayBuffer> {
  try {
    return session.pages.copy(page, byteLength)
  } finally {
    freeRun(session, page, pages)
  }
}

/** CRASH: the pages carry our tag, whatever fails here. */
function open(session: Session, page: number, pages: number): PageRun {
  try {
    return new PageRun(session, page, pages)
  } catch (error) {
    freeRun(session, page, pages)
    throw error
  }
}
