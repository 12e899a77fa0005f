/**
 * What is made again in the process or thread that it was sent to: decoders import this module, and ask for a name.
 *
 * @module
 */
export { Barrier } from './barrier.js'
export { BoundedSemaphore } from './bounded-semaphore.js'
export { Condition } from './condition.js'
export { Event } from './event.js'
export { Lock } from './lock.js'
export { RLock } from './rlock.js'
export { RWLock } from './rw-lock.js'
export { Semaphore } from './semaphore.js'
export { synchronized } from './synchronized.js'
