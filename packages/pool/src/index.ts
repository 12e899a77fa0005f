/**
 * Pools of worker processes.
 *
 * @module
 */
export { AsyncResult, NotReadyError } from './async-result.js'
export { PoolBrokenError, PoolClosedError, PoolTerminatedError, WorkerLostError } from './errors.js'
export type { ImapCallOptions, MapOptions, PoolOptions } from './options.js'
export { Pool, type PoolProcess } from './pool.js'
export type { Progress, TaskOptions } from './task.js'
