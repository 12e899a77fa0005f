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
   * @returns what puts the guards and levels back once `core` has been taken again.
   * @internal
   */
  suspend(): () => void
}
