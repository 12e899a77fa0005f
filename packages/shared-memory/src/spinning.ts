/**
 * Whether looking for a moment before sleeping pays.
 *
 * It does where the other side answers at once on a processor of its own, and not where
 * it is the other side that our looking keeps from running. So it is tried, as often as it
 * has succeeded lately. After the "adaptive mutex" of many systems.
 *
 * @module
 */
/** As long as a wake through the kernel takes until the sleeper runs, in milliseconds. */
const USUAL_MS = 0.02
const MAX_CREDIT = 8
/** Without credit, one wait of so many tries again. */
const RETRY_EVERY = 32

export class Spinning {
  /** How long to look. */
  readonly milliseconds: number
  /** What a failure takes of the credit: the longer one has looked, the more. */
  readonly #loss: number
  #credit = MAX_CREDIT
  #skipped = 0

  constructor(milliseconds: number = USUAL_MS) {
    this.milliseconds = milliseconds
    this.#loss = Math.round(milliseconds / USUAL_MS)
  }

  isWorthIt(): boolean {
    if (this.#credit > 0) return true
    this.#skipped = (this.#skipped + 1) % RETRY_EVERY
    return this.#skipped === 0
  }

  /** Notes how it went: one success pays for two failures of the usual length. */
  note(hasSucceeded: boolean): void {
    this.#credit = hasSucceeded
      ? Math.min(MAX_CREDIT, this.#credit + 2)
      : Math.max(0, this.#credit - this.#loss)
  }
}
