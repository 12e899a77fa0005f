/**
 * A semaphore that refuses to be released more often than it was acquired.
 *
 * @module
 */
import { type Attachment, type Origin, checkInteger } from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { MAX_PERMITS } from './semaphore-core.js'
import { Semaphore } from './semaphore.js'

/**
 * A semaphore whose value never passes its initial one; Python's `multiprocessing.BoundedSemaphore`.
 *
 * What an agent holds when it ends comes back, so releasing in its place is one release too many.
 */
export class BoundedSemaphore extends Semaphore {
  /** Makes a semaphore with `value` permits, a non-negative integer. It ends when nobody can use it any more. */
  constructor(value?: number)
  /** @internal */
  constructor(valueOrAttachment?: number | Attachment)
  constructor(valueOrAttachment?: number | Attachment) {
    super(valueOrAttachment as number)
  }

  /**
   * Gives `n` permits back and wakes as many waiters.
   *
   * @throws OverReleasedError (`ERR_MP_OVER_RELEASED`) when the value would pass the initial one; nothing is released then.
   */
  override release(n = 1): void {
    this.core.release(checkInteger('n', n, 1, MAX_PERMITS), true)
  }

  /** @internal */
  protected override origin(): Origin {
    return { module: ORIGIN, name: 'BoundedSemaphore' }
  }
}
