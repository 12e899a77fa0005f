/**
 * Pools of worker processes.
 *
 * @module
 */
export { AsyncResult, NotReadyError } from './async-result.js'
export {
  PoolBrokenError,
  PoolClosedError,
  PoolFullError,
  PoolTerminatedError,
  WorkerLostError,
} from './errors.js'
export { CancelledError } from './executor/cancelled-error.js'
export { ProcessPoolExecutor } from './executor/executor.js'
export { type DoneCallback, Future } from './executor/future.js'
export type {
  ExecutorMapOptions,
  ExecutorOptions,
  ExecutorShutdownOptions,
} from './executor/options.js'
export {
  ALL_COMPLETED,
  type DoneAndNotDone,
  type DoneFuture,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  type ReturnWhen,
  type WaitFuturesOptions,
  asCompleted,
  waitFutures,
} from './executor/wait-futures.js'
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
export { Pool } from './pool.js'
export type { RoomOptions } from './room.js'
export type { PoolProcess, PoolStats, WorkerStats } from './pool-stats.js'
