/**
 * A lock that its owner may take again: Python's `multiprocessing.RLock`.
 *
 * The owner is an agent: the main thread of a process, or a worker thread. So
 * two asynchronous tasks of one thread are the same owner, and do not keep each
 * other out; for that there is `Lock`.
 *
 * @module
 */
import { type Attachment, OBJECT_TYPE, type Origin } from '@mp/shared-memory/internal'
import { Acquirable } from './acquirable.js'
import type { Guard } from './acquire.js'
import { NotHeldError, NotOwnerError } from './errors.js'
import { lockShape } from './lock-core.js'
import { ReentrantCore } from './reentrant-core.js'
import type { Suspendable } from './suspendable.js'

class LevelGuard implements Guard {
  readonly ownerDied: boolean
  /** Whether it has been given back, by the guard or by an explicit `release()`. */
  released = false
  readonly #lock: RLock

  constructor(lock: RLock, ownerDied: boolean) {
    this.#lock = lock
    this.ownerDied = ownerDied
  }

  release(): void {
    if (this.released) return
    this.released = true
    this.#lock.releaseGuard(this)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

/**
 * A re-entrant lock: its owner can take it again, and must release it as often.
 *
 * The owner is the thread (a process's main thread, or a worker thread): asynchronous tasks of one
 * thread share it. Only the owner releases it. When the owner dies, the lock is free at once,
 * however often it was taken, and the next owner's guard says so.
 *
 * @example
 * using outer = await lock.acquire()
 * using inner = await lock.acquire() // the same owner: no waiting
 */
export class RLock extends Acquirable implements Suspendable {
  /** @internal */
  readonly core: ReentrantCore
  /** The guards of this agent's levels that have not been released, oldest first. */
  #guards: LevelGuard[] = []

  /** Makes a free lock. It is freed with the session. */
  constructor()
  /** @internal */
  constructor(attachment?: Attachment)
  constructor(attachment?: Attachment) {
    super(attachment, lockShape(OBJECT_TYPE.rlock), () => {})
    this.core = new ReentrantCore(this.session, this.handle.base)
  }

  /** Whether anybody alive holds it, this thread included. */
  get locked(): boolean {
    return this.core.holder() !== 0
  }

  /**
   * Gives back one level: the last that was taken.
   *
   * @throws NotOwnerError (`ERR_MP_NOT_OWNER`) when another process or thread holds it.
   * @throws NotHeldError (`ERR_MP_NOT_HELD`) when nobody holds it.
   */
  release(): void {
    this.#releaseLevel()
    const guard = this.#guards.pop()
    if (guard !== undefined) guard.released = true
  }

  /** @internal */
  releaseGuard(guard: LevelGuard): void {
    const at = this.#guards.lastIndexOf(guard)
    // A guard whose level a condition has suspended is not here; its level then does not come back.
    if (at < 0) return
    this.#guards.splice(at, 1)
    this.#releaseLevel()
  }

  /** @internal */
  suspend(): () => void {
    const guards = this.#guards
    const depth = this.core.releaseAll()
    this.#guards = []
    return () => {
      const left = guards.filter((guard) => !guard.released)
      this.core.addLevels(Math.max(depth - (guards.length - left.length), 1) - 1)
      this.#guards.unshift(...left)
    }
  }

  /** @internal */
  protected guard(deadOwner: number): Guard {
    const guard = new LevelGuard(this, deadOwner !== 0)
    this.#guards.push(guard)
    return guard
  }

  /** @internal */
  protected origin(): Origin {
    return { module: import.meta.url, name: 'RLock' }
  }

  #releaseLevel(): void {
    if (this.core.releaseLevel()) return
    if (this.locked) throw new NotOwnerError('This RLock is held by another process or thread')
    throw new NotHeldError('This RLock is not held')
  }
}
