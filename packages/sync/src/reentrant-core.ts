/**
 * The protocol of `RLock`: that of `Lock`, and a depth that only the owner writes.
 *
 * @module
 */
import type { Pending, Session } from '@mp/shared-memory/internal'
import { LOCK, LockCore } from './lock-core.js'

export class ReentrantCore extends LockCore {
  readonly #depth: number

  constructor(session: Session, base: number) {
    super(session, base)
    this.#depth = base + LOCK.depth
  }

  override tryTake(): number {
    if (this.isMine()) return this.#enter()
    const taken = super.tryTake()
    if (taken >= 0) this.#begin()
    return taken
  }

  override attempt(): number | Pending {
    if (this.isMine()) return this.#enter()
    const taken = super.attempt()
    if (typeof taken === 'number') this.#begin()
    return taken
  }

  /** The owner does not wait behind others of its own agent. */
  mayPass(): boolean {
    return this.isMine()
  }

  /** Gives back one level; false when this agent is not the owner. */
  releaseLevel(): boolean {
    if (!this.isMine()) return false
    const depth = Atomics.load(this.words, this.#depth) - 1
    Atomics.store(this.words, this.#depth, depth)
    return depth > 0 || this.releaseOwn()
  }

  /** Gives back all levels of the owner, and says how many. */
  releaseAll(): number {
    const depth = Atomics.exchange(this.words, this.#depth, 0)
    this.releaseOwn()
    return depth
  }

  /** Adds levels to those that the owner has. */
  addLevels(levels: number): void {
    Atomics.add(this.words, this.#depth, levels)
  }

  /** CRASH: whoever takes the lock over starts from here, so a dead owner's depth never counts. */
  #begin(): void {
    Atomics.store(this.words, this.#depth, 1)
  }

  #enter(): number {
    Atomics.add(this.words, this.#depth, 1)
    return 0
  }
}
