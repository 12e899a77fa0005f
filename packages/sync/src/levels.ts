/**
 * The guards of what one agent may hold several times: each gives back one level, once.
 *
 * @module
 */
import type { Guard } from './acquire.js'

class LevelGuard implements Guard {
  readonly ownerDied: boolean
  /** Whether its level has been given back, by the guard or by an explicit release. */
  released = false
  readonly #levels: Levels

  constructor(levels: Levels, ownerDied: boolean) {
    this.#levels = levels
    this.ownerDied = ownerDied
  }

  release(): void {
    if (this.released) return
    this.released = true
    this.#levels.giveBack(this)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

export class Levels {
  /** Of the levels not given back, the oldest first. */
  #guards: LevelGuard[] = []
  readonly #giveBackOne: () => void

  /** @param giveBackOne gives one level back, or throws. */
  constructor(giveBackOne: () => void) {
    this.#giveBackOne = giveBackOne
  }

  /** Makes the guard of a level just taken. */
  add(ownerDied: boolean): Guard {
    const guard = new LevelGuard(this, ownerDied)
    this.#guards.push(guard)
    return guard
  }

  /** Gives back the level of the last guard. */
  release(): void {
    this.#giveBackOne()
    const guard = this.#guards.pop()
    if (guard !== undefined) guard.released = true
  }

  /** @internal */
  giveBack(guard: LevelGuard): void {
    const at = this.#guards.lastIndexOf(guard)
    // The level of one that is suspended has been given back; it will not be taken again.
    if (at < 0) return
    this.#guards.splice(at, 1)
    this.#giveBackOne()
  }

  /**
   * Sets all guards aside, while their levels are given back.
   *
   * @returns what puts them in place again, and says how many were released meanwhile.
   */
  suspend(): () => number {
    const guards = this.#guards
    this.#guards = []
    return () => {
      const left = guards.filter((guard) => !guard.released)
      this.#guards.unshift(...left)
      return guards.length - left.length
    }
  }
}
