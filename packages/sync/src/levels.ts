/**
 * The guards of what one agent may hold several times: each gives back one level, once.
 *
 * @module
 */
import type { Session } from '@mp/shared-memory/internal'
import type { Guard } from './acquire.js'
import { type GuardHolder, HeldGuard } from './guard.js'

export class Levels implements GuardHolder {
  /** Of the levels not given back, the oldest first. */
  #guards: HeldGuard[] = []
  readonly #session: Session
  readonly #giveBackOne: () => void

  /** @param giveBackOne gives one level back, or throws. */
  constructor(session: Session, giveBackOne: () => void) {
    this.#session = session
    this.#giveBackOne = giveBackOne
  }

  /**
   * Makes the guard of a level just taken.
   *
   * @param dead tag of the last holder if it died holding it, else 0.
   */
  add(dead: number): Guard {
    const guard = new HeldGuard(this, this.#session, dead)
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
  giveBack(guard: HeldGuard): void {
    if (guard.released) return
    guard.released = true
    const at = this.#guards.lastIndexOf(guard)
    // The level of one that is suspended has been given back; it will not be taken again.
    if (at < 0) return
    this.#guards.splice(at, 1)
    this.#giveBackOne()
  }

  /**
   * Sets all guards aside, while their levels are given back.
   *
   * @returns what puts them in place again, and says how many were released meanwhile; it takes the tag of whoever
   * died holding the lock before it was taken again, or 0.
   */
  suspend(): (dead: number) => number {
    const guards = this.#guards
    this.#guards = []
    return (dead) => {
      const left = guards.filter((guard) => !guard.released)
      for (const guard of left) guard.mourn(this.#session, dead)
      this.#guards.unshift(...left)
      return guards.length - left.length
    }
  }
}
