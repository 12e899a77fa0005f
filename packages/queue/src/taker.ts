/**
 * Taking items from a queue and decoding them.
 *
 * What this thread has taken and nobody has got yet comes before what can be taken: items that have to be waited for
 * and were taken by a call that blocks, and errors of those that `getMany` has taken.
 *
 * @module
 */
import { Backlog, Undecoded, decodeLater, decodeOrKeep, loads } from '@mp/pickle'
import {
  type Delivery,
  type Lease,
  LeasedBytes,
  type MessageRing,
  PENDING,
  type Pending,
  type Session,
  type Taken,
  type Waitable,
} from '@mp/shared-memory/internal'
import { QueueShutDownError, closedHere } from './errors.js'
import { take, takeSync } from './getting.js'

export class Taker {
  readonly backlog: Backlog = new Backlog()
  readonly #session: Session
  readonly #ring: () => MessageRing
  readonly #isOver: () => boolean
  // A wait has no state of its own: one is enough.
  #claiming: Waitable<Taken> | undefined

  /**
   * @param ring the queue's, while it is open.
   * @param isOver whether it was closed here.
   */
  constructor(session: Session, ring: () => MessageRing, isOver: () => boolean) {
    this.#session = session
    this.#ring = ring
    this.#isOver = isOver
  }

  /** Gets an item if there is one and nobody of this thread has waited for it longer; it may be `Undecoded`. */
  now(): unknown {
    if (this.backlog.any) return this.backlog.shift()
    const ring = this.#ring()
    return this.#session.waiting.hasLine(ring.notEmpty) ? PENDING : ring.tryRead(decodeOrKeep)
  }

  /** Waits for an item, as long as the queue is not closed here. */
  take(timeoutMs: number, signal: AbortSignal | undefined): Promise<Taken> {
    this.#claiming ??= this.#whileOpen(this.#ring().claiming())
    return take(this.#session, this.#claiming, timeoutMs, signal)
  }

  #whileOpen<T>(waitable: Waitable<T>): Waitable<T> {
    const attempt = (): T | Pending => {
      if (this.#isOver()) throw closedHere()
      return waitable.attempt()
    }
    return { ...waitable, attempt }
  }

  getSync(timeoutMs: number): unknown {
    const { backlog } = this
    if (backlog.any) return backlog.shiftSync((bytes) => loads(bytes))
    const ring = this.#ring()
    const item = ring.tryRead(backlog.decodeNow)
    if (item !== PENDING) return item
    return takeSync(this.#session, ring, ring.claiming(), timeoutMs).read(backlog.decodeNow)
  }

  async lease(timeoutMs: number, signal: AbortSignal | undefined): Promise<Lease<unknown>> {
    if (this.backlog.any) {
      const { bytes, delivery } = this.backlog.shift()
      return new LeasedBytes(this.#session, bytes, delivery as Delivery).decodeAsync(decodeLater)
    }
    const taken = await this.take(timeoutMs, signal)
    return new LeasedBytes(this.#session, taken.inPlace(), taken.delivery).decodeAsync(decodeLater)
  }

  leaseSync(timeoutMs: number): Lease<unknown> {
    const session = this.#session
    const { backlog } = this
    if (backlog.any) {
      return backlog.shiftSync((bytes) =>
        new LeasedBytes(session, bytes).decode((all, place) => loads(all, { place })),
      )
    }
    const ring = this.#ring()
    const taken = ring.tryClaim() ?? takeSync(session, ring, ring.claiming(), timeoutMs)
    const { delivery } = taken
    return new LeasedBytes(session, taken.inPlace(), delivery).decode((bytes, place) =>
      backlog.decodeInPlace(bytes, place, delivery),
    )
  }

  /** Takes an item if there is one; else PENDING. */
  tryGet(): unknown {
    const { backlog } = this
    if (backlog.any) return backlog.shiftSync((bytes) => loads(bytes))
    const ring = this.#ring()
    const item = ring.tryRead(backlog.decodeNow)
    if (item === PENDING && ring.drained) throw new QueueShutDownError()
    return item
  }

  /** Adds what can be taken now, until there are `max` or one cannot be decoded: of that the next call tells. */
  async more<T>(items: T[], max: number): Promise<T[]> {
    const { backlog } = this
    while (items.length < max && !backlog.any && !this.#isOver()) {
      try {
        let item = this.#ring().tryRead(decodeOrKeep)
        if (item === PENDING) break
        if (item instanceof Undecoded) item = await item.decode()
        items.push(item as T)
      } catch (error) {
        backlog.fail(error)
      }
    }
    return items
  }

  /** `more`, of what can be decoded without waiting. */
  moreSync<T>(items: T[], max: number): T[] {
    const { backlog } = this
    while (items.length < max && !backlog.any && !this.#isOver()) {
      try {
        const item = this.#ring().tryRead(backlog.decodeNow)
        if (item === PENDING) break
        items.push(item as T)
      } catch (error) {
        // An item that has to be waited for is there already.
        if (!backlog.any) backlog.fail(error)
      }
    }
    return items
  }
}
