/**
 * Locks, semaphores, conditions, events and barriers shared between processes and threads.
 *
 * @module
 */
export { Lock } from './lock.js'
export { NotHeldError, type Guard, type LockLike } from './lock-like.js'
