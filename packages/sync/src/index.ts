/**
 * Locks, semaphores, conditions, events and barriers shared between processes and threads.
 *
 * @module
 */
export type { DeadOwner, Guard, LockLike } from './acquire.js'
export { Barrier, type BarrierOptions } from './barrier.js'
export { BoundedSemaphore } from './bounded-semaphore.js'
export { Condition } from './condition.js'
export { BrokenBarrierError, NotHeldError, NotOwnerError, OverReleasedError } from './errors.js'
export { Event } from './event.js'
export { Lock } from './lock.js'
export { RLock } from './rlock.js'
export { RWLock } from './rw-lock.js'
export { Semaphore } from './semaphore.js'
export { synchronized } from './synchronized.js'
