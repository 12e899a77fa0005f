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
import { ORIGIN } from './origin.js'
import { Acquirable } from './acquirable.js'
import type { Guard } from './acquire.js'
import { NotHeldError, NotOwnerError } from './errors.js'
import { Levels } from './levels.js'
import { lockShape } from './lock-core.js'
import { ReentrantCore } from './reentrant-core.js'
import type { Suspendable } from './suspendable.js'

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
  readonly #core: ReentrantCore
  readonly #levels: Levels

  /** Makes a free lock. It ends when nobody can use it any more, or has closed it. */
  constructor()
  /** @internal */
  constructor(attachment?: Attachment)
  constructor(attachment?: Attachment) {
    super(attachment, lockShape(OBJECT_TYPE.rlock), () => {})
    this.#core = new ReentrantCore(this.session, this.handle.base)
    this.#levels = new Levels(this.session, () => this.#releaseLevel())
  }

  /** @internal */
  get core(): ReentrantCore {
    return this.use(this.#core)
  }

  /** Whether anybody alive holds it, this thread included. */
  get locked(): boolean {
    return this.core.holder() !== 0 && (!this.session.waiting.glance() || this.core.holder() !== 0)
  }

  /**
   * Gives back one level: the last that was taken.
   *
   * @throws NotOwnerError (`ERR_MP_NOT_OWNER`) when another process or thread holds it.
   * @throws NotHeldError (`ERR_MP_NOT_HELD`) when nobody holds it.
   */
  release(): void {
    this.#levels.release()
  }

  /** @internal */
  suspend(): (dead: number) => void {
    const resume = this.#levels.suspend()
    const depth = this.core.releaseAll()
    // Taken again, it has one level already.
    return (dead) => this.core.addLevels(Math.max(depth - resume(dead), 1) - 1)
  }

  /** @internal */
  protected guard(deadOwner: number): Guard {
    return this.#levels.add(deadOwner)
  }

  /** @internal */
  protected origin(): Origin {
    return { module: ORIGIN, name: 'RLock' }
  }

  #releaseLevel(): void {
    if (this.core.releaseLevel()) return
    if (this.locked) throw new NotOwnerError('This RLock is held by another process or thread')
    throw new NotHeldError('This RLock is not held')
  }
}
