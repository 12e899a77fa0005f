/**
 * Whether looking for a moment before sleeping pays.
 *
 * It does where the other side answers at once on a processor of its own, and not where
 * it is the other side that our looking keeps from running. So it is tried, as often as it
 * has succeeded lately. After the "adaptive mutex" of many systems.
 *
 * @module
 */
const MAX_CREDIT = 8
/** Without credit, one wait of so many tries again. */
const RETRY_EVERY = 32

export class Spinning {
  #credit = MAX_CREDIT
  #skipped = 0

  isWorthIt(): boolean {
    if (this.#credit > 0) return true
    this.#skipped = (this.#skipped + 1) % RETRY_EVERY
    return this.#skipped === 0
  }

  /** Notes how it went: one success pays for two failures. */
  note(hasSucceeded: boolean): void {
    this.#credit = hasSucceeded
      ? Math.min(MAX_CREDIT, this.#credit + 2)
      : Math.max(0, this.#credit - 1)
  }
}
