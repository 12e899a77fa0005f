/**
 * The ring of an acknowledged queue: what is taken from it stays this agent's until it is finished.
 *
 * Items that come again go first, oldest first. To whoever takes it looks like any other ring.
 *
 * @module
 */
import {
  MessageRing,
  PENDING,
  type Pending,
  type ReadMessage,
  type Session,
  Taken,
  type Waitable,
} from '@mp/shared-memory/internal'
import { Claims, type Hold, type TakenItem } from './claims.js'
import { closedHere } from './errors.js'
import { QUEUE } from './layout.js'

/** The queues in which this thread has items: were one collected, nobody could finish them. */
const inUse = new Map<AcknowledgedRing, object>()

export class AcknowledgedRing extends MessageRing {
  readonly #claims: Claims
  readonly #session: Session
  readonly #queue: object
  /** What was taken and not finished, in order; by `tryTake`, and by `tryTakeTask`. */
  readonly #unnamed = new Set<Hold>()
  readonly #named = new Set<Hold>()
  #isClosed = false

  /** @param base first word of `queue`; `index` is its entry in the directory. */
  constructor(session: Session, base: number, index: number, queue: object) {
    super(session, base + QUEUE.ring, base + QUEUE.sets, index)
    this.#claims = new Claims(session, this, base, index)
    this.#session = session
    this.#queue = queue
  }

  /** Makes room for the first claims of a new queue. */
  prepare(): void {
    this.#claims.prepare()
  }

  /** How many items can be taken now. */
  countAvailable(): number {
    return this.size + this.#claims.countOrphans()
  }

  /** There is nothing to take, and nothing can come (back) that this agent may wait for. */
  override get drained(): boolean {
    if (!this.closed || this.size !== 0) return false
    if (this.#claims.isDropping) return true
    if (this.#claims.hasOrphans()) return false
    // Who has items itself does not wait for others': they may be waiting for its own.
    return this.#claims.count > 0 || this.#claims.isIdle()
  }

  /** Takes an item that `finishOldest` finishes. As `tryClaim` and `tryRead`. */
  override tryTake(): Uint8Array<ArrayBuffer> | null {
    return this.#take(this.#unnamed)?.message ?? null
  }

  override tryClaim(): Taken | null {
    const message = this.tryTake()
    return message === null ? null : new Taken(message, this.#session, -1, 0)
  }

  override tryRead<R>(read: ReadMessage<R>): R | Pending {
    const taken = this.#tryTake(this.#unnamed)
    return taken === null ? PENDING : read(taken.message, taken.message.byteLength, undefined)
  }

  /** Takes an item that is finished by its hold. */
  tryTakeTask(): TakenItem | null {
    return this.#tryTake(this.#named)
  }

  takingTask(): Waitable<TakenItem> {
    return this.takingBy(() => this.#take(this.#named))
  }

  /** Finishes the `n` oldest items that this agent has from `tryTake`; false, and nothing, if it has fewer. */
  finishOldest(n: number): boolean {
    if (n > this.#unnamed.size) return false
    for (const hold of this.#unnamed) {
      if (n-- === 0) break
      this.finish(hold)
    }
    return true
  }

  finish(hold: Hold): void {
    this.#forget(hold)
    this.#claims.finish(hold)
    // SYNC: a claim was freed, then we look whether the queue is closed; who closes it wakes all after that.
    if (this.closed && this.isDone()) this.notEmpty.wakeAll()
  }

  giveBack(hold: Hold): void {
    this.#forget(hold)
    this.#claims.giveBack(hold.claim)
  }

  /** Whether this agent has the item still. */
  has(hold: Hold): boolean {
    return this.#named.has(hold) || this.#unnamed.has(hold)
  }

  /** Whether every item that was put is done. */
  isDone(): boolean {
    if (this.#claims.isDropping) this.#drop()
    for (;;) {
      const { put } = this
      if (this.taken !== put || !this.#claims.isIdle()) return false
      // Nothing was put meanwhile, so at this moment all are done.
      if (this.put === put) return true
    }
  }

  /** Ends the queue and drops whatever can be taken, also what is given back later. */
  closeAndDrop(): void {
    this.close()
    // CRASH: whoever takes or waits for all to be done goes on with it.
    this.#claims.startDropping()
    this.#drop()
    this.notEmpty.wakeAll()
  }

  /** This agent takes no more, and gives back what it has. */
  leave(): void {
    this.#isClosed = true
    for (const hold of [...this.#unnamed, ...this.#named]) this.giveBack(hold)
    // Who waits here for an item gets none any more.
    this.notEmpty.wake(this.#session.agent.slot)
  }

  #drop(): void {
    // A claim that is taken while everything is dropped is finished at once.
    while (this.#claims.take(this.#takeNext) !== null);
  }

  readonly #takeNext = (): Uint8Array<ArrayBuffer> | null => super.tryTake(-1, this.#claims)

  protected override isAvailable(): boolean {
    return this.size !== 0 || this.#claims.hasOrphans()
  }

  #tryTake(holds: Set<Hold>): TakenItem | null {
    // Who does not wait may ask again and again, and nobody else may take care of the dead.
    return this.#take(holds) ?? (this.#session.waiting.glance() ? this.#take(holds) : null)
  }

  #take(holds: Set<Hold>): TakenItem | null {
    if (this.#isClosed) throw closedHere()
    const taken = this.#claims.take(this.#takeNext)
    if (taken === null) return null
    holds.add(taken.hold)
    inUse.set(this, this.#queue)
    return taken
  }

  #forget(hold: Hold): void {
    this.#named.delete(hold)
    this.#unnamed.delete(hold)
    if (this.#named.size + this.#unnamed.size === 0) inUse.delete(this)
  }
}
