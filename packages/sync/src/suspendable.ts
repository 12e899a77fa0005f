/**
 * What a condition needs of its lock: to let go of it altogether, and to have it again as before.
 *
 * @module
 */
import type { LockCore } from './lock-core.js'

export interface Suspendable {
  /** @internal */
  readonly core: LockCore
  /**
   * Releases all that this agent holds of the lock, which it must hold.
   *
   * @returns what puts the guards and levels back once `core` has been taken again; it takes the tag of whoever died
   * holding the lock before that, or 0.
   * @internal
   */
  suspend(): (dead: number) => void
}
