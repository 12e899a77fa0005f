/**
 * A counter of permits shared between processes and threads.
 *
 * The protocol is in `semaphore-core.ts`. As in Python, any process may release,
 * so it serves for signalling too.
 *
 * @module
 */
import { Attachment, OBJECT_TYPE, type Origin, checkInteger } from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { Acquirable } from './acquirable.js'
import type { Guard } from './acquire.js'
import { type GuardHolder, HeldGuard } from './guard.js'
import { MAX_PERMITS, SEMAPHORE, SemaphoreCore, semaphoreShape } from './semaphore-core.js'

/**
 * A counter of permits; Python's `multiprocessing.Semaphore`.
 *
 * A permit is acquired by one agent (a process's main thread, or a worker thread) and may be
 * released by any. What an agent holds when it ends, however it ends, comes back, and the guard of
 * who gets it says `ownerDied` and who that was. Permits released without having been acquired (signals) are not held
 * by whoever acquires them. So who acquires permits that others are to release for it, such as the
 * free places of a buffer, should live until they have. Waiters that have waited for more than 1 ms
 * are served in the order in which they came.
 *
 * @example
 * const slots = new Semaphore(2)
 * using slot = await slots.acquire()
 */
export class Semaphore extends Acquirable implements GuardHolder {
  readonly #core: SemaphoreCore

  /** Makes a semaphore with `value` permits, a non-negative integer. It ends when nobody can use it any more. */
  constructor(value?: number)
  /** @internal */
  constructor(valueOrAttachment?: number | Attachment)
  constructor(valueOrAttachment: number | Attachment = 1) {
    const attachment = valueOrAttachment instanceof Attachment ? valueOrAttachment : undefined
    const value =
      valueOrAttachment instanceof Attachment
        ? 0
        : checkInteger('value', valueOrAttachment, 0, MAX_PERMITS)
    super(attachment, { type: OBJECT_TYPE.semaphore, ...semaphoreShape() }, (words, base) => {
      Atomics.store(words, base + SEMAPHORE.initial, value)
      Atomics.store(words, base + SEMAPHORE.value, value)
    })
    this.#core = new SemaphoreCore(this.session, this.handle.base)
  }

  /** @internal */
  protected get core(): SemaphoreCore {
    return this.use(this.#core)
  }

  /** Whether there is no permit to acquire now. */
  get locked(): boolean {
    return this.value === 0
  }

  /** How many permits can be acquired now. Another process may change it before you look. */
  get value(): number {
    this.session.waiting.glance()
    return this.core.value()
  }

  /**
   * Gives `n` permits back and wakes as many waiters: permits that this agent holds first, then
   * others' (a permit moves cleanly from who took it), then new ones.
   *
   * @throws OverReleasedError (`ERR_MP_OVER_RELEASED`) when the value would pass 2³¹ − 1; nothing is released then.
   */
  release(n = 1): void {
    this.core.release(checkInteger('n', n, 1, MAX_PERMITS), false)
  }

  /** @internal */
  giveBack(guard: HeldGuard): void {
    if (guard.released) return
    guard.released = true
    this.release()
  }

  /** @internal */
  protected guard(deadOwner: number): Guard {
    return new HeldGuard(this, this.session, deadOwner)
  }

  /** @internal */
  protected origin(): Origin {
    return { module: ORIGIN, name: 'Semaphore' }
  }
}
