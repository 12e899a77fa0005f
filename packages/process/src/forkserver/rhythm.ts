/**
 * When copies in stock are worth having: while one child is started after the other has ended. Who starts many at once
 * waits for the server in any case; and a child that nobody asked for is for those who look at the system's processes.
 *
 * @module
 */

/** How many times in a row a start has to follow upon an end. */
const TIMES = 2
/** How far apart starts may be. */
const CLOSE_MS = 250

export class Rhythm {
  #times = 0
  #lastMs = -Infinity
  #hasEnded = false

  /** Says that a child is started. @returns whether another one will follow when it has ended, most likely. */
  start(nowMs: number): boolean {
    const follows = this.#hasEnded && nowMs - this.#lastMs < CLOSE_MS
    this.#times = follows ? this.#times + 1 : 0
    this.#lastMs = nowMs
    this.#hasEnded = false
    return this.#times >= TIMES
  }

  /** Says that a child has ended. */
  end(): void {
    this.#hasEnded = true
  }
}

/** How long copies in stock are kept that nobody asks for. */
export const KEPT_MS: number = CLOSE_MS
