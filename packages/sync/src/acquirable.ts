/**
 * The public face that `Lock`, `RLock` and the semaphores share.
 *
 * @module
 */
import {
  type Attachment,
  type ObjectShape,
  SharedObject,
  type WaitOptions,
} from '@mp/shared-memory/internal'
import {
  type Acquisition,
  type Guard,
  type LockLike,
  runHolding,
  take,
  takeNow,
  takeSync,
} from './acquire.js'

export abstract class Acquirable extends SharedObject implements LockLike {
  protected constructor(
    attachment: Attachment | undefined,
    shape: ObjectShape,
    init: (words: Int32Array, base: number) => void,
  ) {
    super(attachment, shape, init)
  }

  /** @internal */
  protected abstract readonly core: Acquisition
  /** Makes the guard for what was just taken. @internal */
  protected abstract guard(deadOwner: number): Guard
  abstract release(): void

  /**
   * Waits until it is free, then takes it.
   *
   * If its last holder died holding it, the guard says so: `guard.ownerDied`. Rejects with the
   * signal's reason when that aborts; nothing is held then.
   *
   * @returns the guard, or null when `timeout` (milliseconds) passes first; nothing is held then.
   * @example
   * using guard = await lock.acquire()
   */
  async acquire(options?: WaitOptions): Promise<Guard | null> {
    const taken = await take(this.session, this.core, options)
    return taken < 0 ? null : this.guard(taken)
  }

  /**
   * Blocks this thread until it is free, then takes it.
   *
   * If its last holder died holding it, the guard says so: `guard.ownerDied`.
   *
   * @returns the guard, or null when `timeout` (milliseconds) passes first; nothing is held then.
   */
  acquireSync(options?: WaitOptions): Guard | null {
    const taken = takeSync(this.session, this.core, options)
    return taken < 0 ? null : this.guard(taken)
  }

  /** Takes it if it is free and nobody has right of way; never waits. */
  tryAcquire(): Guard | null {
    const taken = takeNow(this.session, this.core)
    return taken < 0 ? null : this.guard(taken)
  }

  /**
   * Acquires, runs `fn`, waits for its result, and releases whatever happens.
   *
   * @throws TimeoutError (`ERR_MP_TIMEOUT`) when `timeout` passes before it is acquired; `fn` has not run then.
   */
  run<R>(fn: () => R, options?: WaitOptions): Promise<Awaited<R>> {
    return runHolding(this, fn, options)
  }
}
