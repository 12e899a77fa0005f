/**
 * A mutual-exclusion lock shared between processes and threads.
 *
 * The protocol is in `lock-core.ts`. As in Python, any process may release it.
 *
 * @module
 */
import { Attachment, OBJECT_TYPE, type Origin } from '@mp/shared-memory/internal'
import { LockCore, lockShape } from './lock-core.js'
import { Acquirable, type Guard, NotHeldError } from './lock-like.js'

class LockGuard implements Guard {
  readonly ownerDied: boolean
  readonly #lock: Lock

  constructor(lock: Lock, ownerDied: boolean) {
    this.#lock = lock
    this.ownerDied = ownerDied
  }

  release(): void {
    this.#lock.releaseGuard(this)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

export class Lock extends Acquirable {
  /** @internal */
  protected readonly waitable: LockCore
  /** The guard of the acquisition that is current in this thread. */
  #current: Guard | undefined

  /** Makes a free lock. It is freed with the session. */
  constructor()
  /** @internal */
  constructor(attachment?: Attachment)
  constructor(attachment?: Attachment) {
    super(attachment, lockShape(OBJECT_TYPE.lock), () => {})
    this.waitable = new LockCore(this.session, this.handle.base)
  }

  /** Whether anybody holds it. */
  get locked(): boolean {
    return this.waitable.holder() !== 0
  }

  /**
   * Gives the lock back, whichever process took it.
   *
   * @throws NotHeldError (`ERR_MP_NOT_HELD`) when nobody holds it.
   */
  release(): void {
    this.#current = undefined
    if (!this.waitable.release()) throw new NotHeldError('This Lock is not held')
  }

  /** @internal */
  releaseGuard(guard: Guard): void {
    // A guard gives back its own acquisition only: by now somebody else may hold the lock.
    if (this.#current !== guard) return
    this.#current = undefined
    if (!this.waitable.releaseOwn()) throw new NotHeldError('This Lock was released by another process')
  }

  /** @internal */
  protected tryTake(): number {
    if (this.waitable.takeFree()) return 0
    const taken = this.waitable.attempt()
    return typeof taken === 'number' ? taken : -1
  }

  /** @internal */
  protected guard(deadOwner: number): Guard {
    return (this.#current = new LockGuard(this, deadOwner !== 0))
  }

  /** @internal */
  protected origin(): Origin {
    return { module: import.meta.url, name: 'Lock' }
  }
}
