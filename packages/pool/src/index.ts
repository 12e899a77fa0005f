/**
 * Pools of worker processes.
 *
 * @module
 */
export { AsyncResult, NotReadyError } from './async-result.js'
export { PoolBrokenError, PoolClosedError, PoolTerminatedError, WorkerLostError } from './errors.js'
export { type CurrentTask, currentTask } from './current-task.js'
export type { Quantiles } from './distribution.js'
export type {
  ImapCallOptions,
  LeaseTaskOptions,
  MapOptions,
  PoolOptions,
  Progress,
  SettleOptions,
  TaskOptions,
} from './options.js'
export { Pool, type PoolProcess } from './pool.js'
export type { PoolStats, WorkerStats } from './pool-record.js'
