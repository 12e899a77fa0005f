/**
 * The waits and forms that everything acquirable has, over three steps that differ.
 *
 * @module
 */
import { availableParallelism } from 'node:os'
import {
  PENDING,
  type Session,
  TimeoutError,
  type WaitOptions,
  type WaitSet,
  type Waitable,
  checkWaitOptions,
  deadlineAfter,
  throwIfAborted,
  wrongType,
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
  /** Waits until it is free and takes it; null when `timeout` passes first. */
  acquire(options?: WaitOptions): Promise<Guard | null>
  /** Blocks this thread until it is free and takes it; null when `timeout` passes first. */
  acquireSync(options?: WaitOptions): Guard | null
  /** Takes it if that needs no waiting. */
  tryAcquire(): Guard | null
  /** Gives it back. */
  release(): void
  /** Acquires, runs `fn`, waits for its result, and releases whatever happens; `ERR_MP_TIMEOUT` when time is up first. */
  run<R>(fn: () => R, options?: WaitOptions): Promise<Awaited<R>>
}

/** One way to acquire. An attempt gives the tag of the dead last holder, or 0. */
export interface Acquisition extends Waitable<number> {
  readonly set: WaitSet
  /** `attempt` for those who do not wait, as fast as can be; -1 when one has to wait. */
  tryTake(): number
  /** Called before a wait. */
  begin?(): void
  /** Called after a wait has got it, once this agent has left the wait set. */
  settle(): void
  /** Whether this agent may pass its own waiters. */
  mayPass?(): boolean
}

/** Takes it if that needs no waiting; gives the dead last holder's tag or 0, or -1. */
export function takeNow(session: Session, acquisition: Acquisition): number {
  const taken = acquisition.tryTake()
  // Its holder may be dead and nobody have looked since: who waits looks, who only tries would never.
  return taken < 0 && session.waiting.noticeDeaths() ? acquisition.tryTake() : taken
}

/** A look takes 10 ns, falling asleep and being woken 3 µs. Alone on a CPU, the holder could not run meanwhile. */
const SPINS = availableParallelism() > 1 ? 100 : 0

/** Gives the dead last holder's tag or 0, or -1 once `options.timeout` has passed. */
export async function take(
  session: Session,
  acquisition: Acquisition,
  options: WaitOptions | undefined,
): Promise<number> {
  const timeoutMs = checkWaitOptions(options)
  throwIfAborted(options)
  if (!session.waiting.hasLine(acquisition.set) || acquisition.mayPass?.() === true) {
    const taken = acquisition.tryTake()
    if (taken >= 0) return taken
  }
  acquisition.begin?.()
  const result = await session.waiting.async(acquisition, timeoutMs, options?.signal)
  if (result === PENDING) return -1
  acquisition.settle()
  return result
}

/** As `take`, asleep. */
export function takeSync(
  session: Session,
  acquisition: Acquisition,
  options: WaitOptions | undefined,
): number {
  const timeoutMs = checkWaitOptions(options)
  throwIfAborted(options)
  const taken = acquisition.tryTake()
  if (taken >= 0) return taken
  const spun = timeoutMs > 0 ? spin(acquisition) : -1
  if (spun >= 0) return spun
  acquisition.begin?.()
  const result = session.waiting.block(acquisition, deadlineAfter(session.agent, timeoutMs))
  if (result === PENDING) return -1
  acquisition.settle()
  return result
}

/** Looks for a moment before this thread falls asleep, which takes longer than most sections that locks protect. */
function spin(acquisition: Acquisition): number {
  for (let i = 0; i < SPINS; i += 1) {
    if (!acquisition.available()) continue
    const taken = acquisition.tryTake()
    if (taken >= 0) return taken
    // Somebody was faster, or has right of way.
    i += 10
  }
  return -1
}

/** Acquires, runs `fn`, waits for its result, and releases whatever happens. */
export async function runHolding<R>(
  lock: LockLike,
  fn: () => R,
  options: WaitOptions | undefined,
): Promise<Awaited<R>> {
  if (typeof fn !== 'function') throw wrongType('fn', 'a function', fn)
  const guard = await lock.acquire(options)
  if (guard === null) {
    throw new TimeoutError(`Not acquired within ${options?.timeout} ms; the function has not run`)
  }
  try {
    return await fn()
  } finally {
    guard.release()
  }
}
