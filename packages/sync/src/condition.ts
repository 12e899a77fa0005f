/**
 * Waiting for a change of state that a lock protects, between processes and threads.
 *
 * The protocol is in `condition-core.ts`. A condition travels together with its lock.
 *
 * @module
 */
import {
  Attachment,
  OBJECT_TYPE,
  type Origin,
  PENDING,
  SharedObject,
  type WaitOptions,
  checkInteger,
  checkWaitOptions,
  deadlineAfter,
  throwIfAborted,
  wrongType,
} from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { type Guard, type LockLike, take, takeSync } from './acquire.js'
import { ConditionCore, type Waiter, conditionShape } from './condition-core.js'
import { NotHeldError } from './errors.js'
import { Lock } from './lock.js'
import { RLock } from './rlock.js'

/**
 * A condition variable; Python's `multiprocessing.Condition`.
 *
 * Waiters are notified in the order in which their processes came. When the holder of the lock or a
 * notified waiter dies, waiters may go on without having been notified: test what you wait for
 * again, or use `waitFor`. Asynchronous tasks of one thread that are to keep each other out need
 * `new Condition(new Lock())`, for an `RLock` belongs to the thread.
 *
 * @example
 * const changed = new Condition()
 * using guard = await changed.acquire()
 * await changed.waitFor(() => count.value > 0)
 */
export class Condition extends SharedObject implements LockLike {
  readonly #lock: Lock | RLock
  readonly #core: ConditionCore
  readonly #ownsLock: boolean

  /** Makes a condition over `lock`, or over a new `RLock`. It ends when nobody can use it any more. */
  constructor(lock?: Lock | RLock)
  /** @internal */
  constructor(lockOrAttachment?: Lock | RLock | Attachment)
  constructor(lockOrAttachment?: Lock | RLock | Attachment) {
    const attachment = lockOrAttachment instanceof Attachment ? lockOrAttachment : undefined
    const lock = (attachment === undefined ? lockOrAttachment : attachment.extra) ?? new RLock()
    if (!(lock instanceof Lock || lock instanceof RLock)) {
      throw wrongType('lock', 'a Lock or an RLock', lock)
    }
    super(attachment, { type: OBJECT_TYPE.condition, ...conditionShape() }, () => {})
    this.#lock = lock
    this.#ownsLock = lockOrAttachment === undefined
    this.#core = new ConditionCore(this.session, this.handle.base)
  }

  /** Says that this thread is done with it; also with its lock, if that was made for it here. */
  override close(): void {
    super.close()
    if (this.#ownsLock) this.#lock.close()
  }

  /** Acquires the lock, as `lock.acquire` does. */
  acquire(options?: WaitOptions): Promise<Guard | null> {
    return this.#lock.acquire(options)
  }

  /** Acquires the lock, as `lock.acquireSync` does. */
  acquireSync(options?: WaitOptions): Guard | null {
    return this.#lock.acquireSync(options)
  }

  /** Acquires the lock, as `lock.tryAcquire` does. */
  tryAcquire(): Guard | null {
    return this.#lock.tryAcquire()
  }

  /** Releases the lock, as `lock.release` does. */
  release(): void {
    this.#lock.release()
  }

  /** Runs `fn` holding the lock, as `lock.run` does. */
  run<R>(fn: () => R, options?: WaitOptions): Promise<Awaited<R>> {
    return this.#lock.run(fn, options)
  }

  /**
   * Releases the lock, however often it was taken, waits for a notification, and takes it again.
   *
   * The lock is held again whatever the outcome, also when it rejects with the signal's reason; the
   * time to get it back is not limited by `timeout`. A notification that an aborted wait got goes to
   * another waiter.
   *
   * @returns false when `timeout` (milliseconds) passes first.
   * @throws NotHeldError (`ERR_MP_NOT_HELD`) when this thread does not hold the lock.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    const timeoutMs = checkWaitOptions(options)
    throwIfAborted(options)
    const waiter = this.#begin()
    const restore = this.#lock.suspend()
    let woken = false
    let aborted: { reason: unknown } | undefined
    try {
      const { waiting } = this.session
      woken = (await waiting.async(waiter, timeoutMs, options?.signal)) !== PENDING
    } catch (reason) {
      aborted = { reason }
    }
    restore(await take(this.session, this.#lock.core, undefined, () => this.#lock.core))
    const notified = this.use(this.#core).end(waiter)
    if (aborted === undefined) return woken || notified
    if (notified) this.use(this.#core).notify(1)
    throw aborted.reason
  }

  /**
   * Blocks this thread as `wait` waits; the lock is held again when it returns.
   *
   * @returns false when `timeout` (milliseconds) passes first.
   * @throws NotHeldError (`ERR_MP_NOT_HELD`) when this thread does not hold the lock.
   */
  waitSync(options?: WaitOptions): boolean {
    const deadline = deadlineAfter(this.session.agent, checkWaitOptions(options))
    throwIfAborted(options)
    const waiter = this.#begin()
    const restore = this.#lock.suspend()
    const woken = this.session.waiting.block(waiter, deadline) !== PENDING
    restore(takeSync(this.session, this.#lock.core, undefined))
    return this.use(this.#core).end(waiter) || woken
  }

  /**
   * Waits until `predicate` gives something truthy; it is called holding the lock, and awaited.
   *
   * `timeout` bounds the whole wait but for getting the lock back. Rejects with the signal's reason
   * when that aborts; the lock is held again whatever the outcome.
   *
   * @returns the last value of `predicate`: a falsy one when the time was up.
   * @throws NotHeldError (`ERR_MP_NOT_HELD`) when this thread does not hold the lock.
   */
  async waitFor<R>(predicate: () => R, options?: WaitOptions): Promise<Awaited<R>> {
    const { agent } = this.session
    const deadline = this.#checkWaitFor(predicate, options)
    for (;;) {
      const value = await predicate()
      const timeout = deadline - agent.platform.now()
      if (Boolean(value) || timeout <= 0) return value
      await this.wait({ timeout, signal: options?.signal })
    }
  }

  /**
   * Blocks this thread until `predicate` gives something truthy; it is called holding the lock.
   *
   * @returns the last value of `predicate`: a falsy one when `timeout` (milliseconds) has passed.
   * @throws NotHeldError (`ERR_MP_NOT_HELD`) when this thread does not hold the lock.
   */
  waitForSync<R>(predicate: () => R, options?: WaitOptions): R {
    const { agent } = this.session
    const deadline = this.#checkWaitFor(predicate, options)
    for (;;) {
      const value = predicate()
      const timeout = deadline - agent.platform.now()
      if (Boolean(value) || timeout <= 0) return value
      this.waitSync({ timeout })
    }
  }

  /**
   * Lets `n` waiters go; they run once the lock is released.
   *
   * @param n a non-negative integer; fewer waiters are no error.
   * @throws NotHeldError (`ERR_MP_NOT_HELD`) when this thread does not hold the lock.
   */
  notify(n = 1): void {
    checkInteger('n', n, 0)
    this.#requireHeld()
    this.use(this.#core).notify(n)
  }

  /**
   * Lets all waiters go; they run once the lock is released, one after the other.
   *
   * @throws NotHeldError (`ERR_MP_NOT_HELD`) when this thread does not hold the lock.
   */
  notifyAll(): void {
    this.#requireHeld()
    this.use(this.#core).notify(Infinity)
  }

  /** @internal */
  protected origin(): Origin {
    return { module: ORIGIN, name: 'Condition' }
  }

  /** @internal */
  protected override extra(): unknown {
    return this.#lock
  }

  #begin(): Waiter {
    this.#requireHeld()
    return this.use(this.#core).begin(this.#lock.core)
  }

  /** Returns the deadline. */
  #checkWaitFor(predicate: unknown, options: WaitOptions | undefined): number {
    if (typeof predicate !== 'function') throw wrongType('predicate', 'a function', predicate)
    const deadline = deadlineAfter(this.session.agent, checkWaitOptions(options))
    throwIfAborted(options)
    this.#requireHeld()
    return deadline
  }

  #requireHeld(): void {
    if (this.#lock.core.isMine()) return
    throw new NotHeldError("This thread does not hold the Condition's lock")
  }
}
