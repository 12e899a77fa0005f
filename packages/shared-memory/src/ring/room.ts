/**
 * The set of those who wait for room in a ring. Who finds that it is pages that are missing also waits for these.
 *
 * @module
 */
import type { Agent } from '../agent.js'
import type { MemoryWaits } from '../memory-waits.js'
import { WaitSet } from '../wait-set.js'

export class Room extends WaitSet {
  readonly #memory: MemoryWaits
  /** Since when this agent waits; undefined while it does not. */
  #since: number | undefined

  constructor(agent: Agent, bits: number, memory: MemoryWaits) {
    super(agent, bits)
    this.#memory = memory
  }

  override arm(arrivedAt: number): boolean {
    this.#since = arrivedAt
    return super.arm(arrivedAt)
  }

  override disarm(): boolean {
    this.#since = undefined
    this.#memory.disarm(this)
    return super.disarm()
  }

  override isArmed(): boolean {
    return super.isArmed() && !this.#isRung()
  }

  /**
   * Attempts to put, on behalf of somebody who may wait.
   *
   * @param attempt says whether it did all it can: false when it was short of pages.
   */
  attempt(attempt: () => boolean): void {
    if (this.#since === undefined) {
      attempt()
      return
    }
    const memory = this.#memory
    const wasArmed = memory.has(this)
    if (memory.try(attempt)) {
      this.#isShort = false
      return
    }
    this.#isShort = true
    if (wasArmed) return
    // SYNC: armed, then looked again: whoever has freed pages meanwhile either was seen or sees the bit.
    memory.arm(this, this.#since)
    this.#isShort = !memory.try(attempt)
  }

  #isShort = false

  #isRung(): boolean {
    return this.#isShort && !this.#memory.has(this)
  }
}
