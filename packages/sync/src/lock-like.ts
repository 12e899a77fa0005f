/**
 * What all locks have in common: guards, the two forms of waiting, `run`.
 *
 * @module
 */
import {
  Attachment,
  MultiprocessingError,
  type ObjectShape,
  PENDING,
  SharedObject,
  TimeoutError,
  type WaitOptions,
  type Waitable,
  checkWaitOptions,
  deadlineAfter,
  throwIfAborted,
} from '@mp/shared-memory/internal'

/** Holds what was acquired; disposing of it, or `release()`, gives it back. */
export interface Guard extends Disposable {
  /** Gives back what this guard holds. A second call does nothing. */
  release(): void
  /** Whether the last holder died holding it: what it protects may be half-changed. */
  readonly ownerDied: boolean
}

/** Anything that can be acquired and released: `Lock`, `RLock`, `Semaphore`, one side of an `RWLock`. */
export interface LockLike {
  acquire(options?: WaitOptions): Promise<Guard | null>
  acquireSync(options?: WaitOptions): Guard | null
  tryAcquire(): Guard | null
  release(): void
  run<R>(fn: () => R, options?: WaitOptions): Promise<Awaited<R>>
}

/** Thrown when something is released that is not held. */
export class NotHeldError extends MultiprocessingError {
  constructor(message: string) {
    super('ERR_MP_NOT_HELD', message)
  }
}

/** The waits and forms of a lock, over the three steps that differ: `tryTake`, `waitable`, `guard`. */
export abstract class Acquirable extends SharedObject implements LockLike {
  protected constructor(
    attachment: Attachment | undefined,
    shape: ObjectShape,
    init: (words: Int32Array, base: number) => void,
  ) {
    super(attachment, shape, init)
  }

  /** Takes it if that needs no waiting: the tag of the dead last holder or 0; -1 when it has to wait. */
  protected abstract tryTake(): number
  protected abstract readonly waitable: Waitable<number>
  /** Makes the guard for what was just taken. */
  protected abstract guard(deadOwner: number): Guard
  abstract release(): void

  /**
   * Waits until it is free, then takes it.
   *
   * If its last holder died holding it, the guard says so: `guard.ownerDied`.
   *
   * @returns the guard, or null when `timeout` (milliseconds) passes first; nothing is held then.
   * @throws the signal's reason when it aborts; nothing is held then.
   */
  async acquire(options?: WaitOptions): Promise<Guard | null> {
    const timeoutMs = checkWaitOptions(options)
    throwIfAborted(options)
    const { waiting } = this.session
    if (!waiting.hasLine(this.waitable.set)) {
      const taken = this.tryTake()
      if (taken >= 0) return this.guard(taken)
    }
    const result = await waiting.async(this.waitable, timeoutMs, options?.signal)
    return result === PENDING ? null : this.guard(result)
  }

  /**
   * Blocks this thread until it is free, then takes it.
   *
   * If its last holder died holding it, the guard says so: `guard.ownerDied`.
   *
   * @returns the guard, or null when `timeout` (milliseconds) passes first; nothing is held then.
   */
  acquireSync(options?: WaitOptions): Guard | null {
    const timeoutMs = checkWaitOptions(options)
    throwIfAborted(options)
    const taken = this.tryTake()
    if (taken >= 0) return this.guard(taken)
    const { waiting, agent } = this.session
    const result = waiting.block(this.waitable, deadlineAfter(agent, timeoutMs))
    return result === PENDING ? null : this.guard(result)
  }

  /** Takes it if it is free and nobody has right of way; never waits. */
  tryAcquire(): Guard | null {
    const taken = this.tryTake()
    return taken >= 0 ? this.guard(taken) : null
  }

  /**
   * Acquires, runs `fn`, waits for its result, and releases whatever happens.
   *
   * @throws TimeoutError (`ERR_MP_TIMEOUT`) when `timeout` passes before it is acquired; `fn` has not run then.
   */
  async run<R>(fn: () => R, options?: WaitOptions): Promise<Awaited<R>> {
    if (typeof fn !== 'function') throw new TypeError(`Expected \`fn\` to be a function, got \`${String(fn)}\``)
    const guard = await this.acquire(options)
    if (guard === null) {
      throw new TimeoutError(`Not acquired within ${options?.timeout} ms; the function has not run`)
    }
    try {
      return await fn()
    } finally {
      guard.release()
    }
  }
}
