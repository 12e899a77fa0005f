/**
 * Bytes that are filled where their receiver will find them.
 *
 * The pages of a long message are taken before it is written, and change hands when it is put: nothing is copied. The
 * term is iceoryx2's. A short message is filled in ordinary memory and copied, with the same interface.
 *
 * @module
 */
import { MultiprocessingError, OutOfSharedMemoryError } from '../errors.js'
import { PAGE_BYTES } from '../layout.js'
import { PageRun, freeRun } from '../page-run.js'
import { pagesFor } from '../pages.js'
import type { Session } from '../session.js'
import { reduceSymbol } from '../shared-object.js'
import { type Extent, type Message, checkFits, needsExtent, takeExtent } from './message.js'

/** Where a loan can be sent: what is in front of its bytes differs. */
export type LoanKind = 'queue' | 'connection'

/**
 * Memory of a message that is yours until you send it.
 *
 * Sent, it is the receiver's: all views of its bytes are empty then, and `bytes` throws. If sending fails or times out it is
 * yours again, and `bytes` is a new view of what you have written. Unsent it takes room in the memory of the session until
 * `release()`; without it, until the loan and its buffer are collected, or this process ends, however it ends.
 *
 * @example
 * const loan = connection.allocate(64 * 1024 * 1024)
 * render(loan.bytes)
 * await connection.sendBytes(loan)
 */
export class Loan implements Disposable {
  /** How many bytes it has. */
  readonly byteLength: number
  readonly #session: Session
  readonly #kind: LoanKind
  readonly #head: number
  /** What stands in front of the bytes, where they are to have a buffer to themselves, and are not in shared memory. */
  #front: Uint8Array | undefined
  readonly #extent: Extent | undefined
  #state: 'open' | 'lent' | 'over' = 'open'
  #run: PageRun | undefined
  #heap: ArrayBuffer | undefined
  #bytes: Uint8Array<ArrayBuffer> | undefined

  /**
   * @param head stands in front of the bytes in the message.
   * @internal
   */
  constructor(session: Session, kind: LoanKind, byteLength: number, head: Uint8Array) {
    this.byteLength = byteLength
    this.#session = session
    this.#kind = kind
    this.#head = head.byteLength
    const total = this.#head + byteLength
    if (needsExtent(total)) checkFits(session.pages, total)
    if (needsExtent(total) && session.native.bare !== undefined) {
      // Without the addon shared memory cannot be shown, and the message is copied when it is put.
      this.#front = head
      this.#heap = new ArrayBuffer(byteLength)
    } else if (needsExtent(total)) {
      this.#extent = takePages(session, total)
      this.#openRun()
      session.pages.bytes(this.#extent.page, head.byteLength).set(head)
    } else {
      this.#heap = new ArrayBuffer(total)
      new Uint8Array(this.#heap).set(head)
    }
  }

  /**
   * The bytes to fill. What they hold at first is left over from others.
   *
   * @throws MultiprocessingError `ERR_MP_RELEASED` once it was sent or released.
   */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#state !== 'open') throw released()
    // The buffer of a long one is its bytes and no more: a typed array over it needs no offset.
    this.#bytes ??=
      this.#run === undefined
        ? new Uint8Array(this.#heap as ArrayBuffer, this.#front === undefined ? this.#head : 0)
        : new Uint8Array(this.#run.buffer(this.#head, this.byteLength))
    return this.#bytes
  }

  /** Whether it was sent or released. */
  get released(): boolean {
    return this.#state !== 'open'
  }

  /** Gives the memory back unsent. Releasing twice is fine, and so is releasing what was sent. */
  release(): void {
    if (this.#state !== 'open') return
    this.#state = 'over'
    this.#bytes = undefined
    if (this.#heap !== undefined) this.#empty()
    this.#run?.release()
    this.#run = undefined
  }

  [Symbol.dispose](): void {
    this.release()
  }

  /**
   * Takes the message away from the user, to be put; `settle` says what became of it.
   *
   * @internal
   */
  lend(kind: LoanKind): Message {
    if (this.#state !== 'open') throw released()
    if (this.#kind !== kind) {
      throw new TypeError(`Expected a loan of a ${kind}, got one of a ${this.#kind}`)
    }
    this.#bytes = undefined
    if (this.#extent === undefined) {
      const bytes = new Uint8Array(this.#heap as ArrayBuffer)
      const total = this.#head + this.byteLength
      const start = this.#front === undefined ? 0 : this.#head
      if (bytes.byteLength !== total - start) throw this.#lost()
      const copy = new Uint8Array(total)
      if (this.#front !== undefined) copy.set(this.#front)
      copy.set(bytes, start)
      this.#empty()
      this.#heap = copy.buffer
      this.#state = 'lent'
      return copy
    }
    const isOurs = (this.#run as PageRun).end()
    this.#run = undefined
    if (!isOurs) throw this.#lost()
    this.#state = 'lent'
    return this.#extent
  }

  /** Says whether it was put; if not it is the user's again. @internal */
  settle(wasPut: boolean): void {
    if (this.#state !== 'lent') return
    this.#state = wasPut ? 'over' : 'open'
    if (wasPut) this.#heap = undefined
    else if (this.#extent !== undefined) this.#openRun()
    else if (this.#front !== undefined) this.#heap = this.#heap?.slice(this.#head)
  }

  /** CRASH: the pages carry our tag. */
  #openRun(): void {
    const { page, pages } = this.#extent as Extent
    try {
      this.#run = new PageRun(this.#session, page, pages)
    } catch (error) {
      freeRun(this.#session, page, pages)
      throw error
    }
  }

  #empty(): void {
    const heap = this.#heap as ArrayBuffer
    if (heap.byteLength > 0) this.#session.native.detach(heap)
    this.#heap = undefined
  }

  /** What it became shows the memory, so nobody else may have it. */
  #lost(): TypeError {
    this.#state = 'over'
    return new TypeError('Expected a loan to be whole: the buffer of its bytes was transferred')
  }
}

Object.defineProperty(Loan.prototype, reduceSymbol, {
  value() {
    throw new TypeError('A loan is sent by itself, not as a part of something')
  },
})

function takePages(session: Session, total: number): Extent {
  const { pages } = session
  const extent = takeExtent(session, total)
  if (extent !== null) return extent
  throw new OutOfSharedMemoryError(
    `There is no room for a message of ${total} bytes now: of the session's ${pages.count * PAGE_BYTES} bytes no ` +
      `${pagesFor(total) * PAGE_BYTES} next to each other are free; receive, or release leases, or raise MP_MEMORY_LIMIT`,
  )
}

function released(): MultiprocessingError {
  return new MultiprocessingError('ERR_MP_RELEASED', 'The loan has been sent or released')
}
