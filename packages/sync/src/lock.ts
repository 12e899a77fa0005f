/**
 * A mutual-exclusion lock shared between processes and threads.
 *
 * The protocol is in `lock-core.ts`. As in Python, any process may release it.
 *
 * @module
 */
import { type Attachment, OBJECT_TYPE, type Origin } from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { Acquirable } from './acquirable.js'
import type { Guard } from './acquire.js'
import { NotHeldError } from './errors.js'
import { type GuardHolder, HeldGuard } from './guard.js'
import { LockCore, lockShape } from './lock-core.js'
import type { Suspendable } from './suspendable.js'

/**
 * A mutual-exclusion lock; Python's `multiprocessing.Lock`.
 *
 * Waiters that have waited for more than 1 ms get it in the order in which they came. When its
 * holder dies, it is free at once, and the next holder's guard says so and who it was.
 *
 * @example
 * const lock = new Lock()
 * {
 *   using guard = await lock.acquire()
 *   if (guard?.ownerDied) repair() // and guard.deadOwner tells who: { pid, reason }
 * }
 */
export class Lock extends Acquirable implements Suspendable, GuardHolder {
  readonly #core: LockCore
  /** The guard of the acquisition that is current in this thread. */
  #current: HeldGuard | undefined

  /** Makes a free lock. It ends when nobody can use it any more, or has closed it. */
  constructor()
  /** @internal */
  constructor(attachment?: Attachment)
  constructor(attachment?: Attachment) {
    super(attachment, lockShape(OBJECT_TYPE.lock), () => {})
    this.#core = new LockCore(this.session, this.handle.base)
  }

  /** @internal */
  get core(): LockCore {
    return this.use(this.#core)
  }

  /** Whether anybody alive holds it. */
  get locked(): boolean {
    return this.core.holder() !== 0 && (!this.session.waiting.glance() || this.core.holder() !== 0)
  }

  /**
   * Gives the lock back, whichever process took it.
   *
   * @throws NotHeldError (`ERR_MP_NOT_HELD`) when nobody holds it.
   */
  release(): void {
    if (!this.core.release()) throw new NotHeldError('This Lock is not held')
    this.#current = undefined
  }

  /** @internal */
  giveBack(guard: HeldGuard): void {
    // A guard gives back its own acquisition only: by now somebody else may hold the lock.
    if (this.#current !== guard) return
    this.#current = undefined
    if (!this.core.releaseOwn()) throw new NotHeldError('This Lock was released by another process')
  }

  /** @internal */
  suspend(): (dead: number) => void {
    const current = this.#current
    this.#current = undefined
    this.core.releaseOwn()
    return (dead) => {
      this.#current = current
      current?.mourn(this.session, dead)
    }
  }

  /** @internal */
  protected guard(deadOwner: number): Guard {
    return (this.#current = new HeldGuard(this, this.session, deadOwner))
  }

  /** @internal */
  protected origin(): Origin {
    return { module: ORIGIN, name: 'Lock' }
  }
}
