/**
 * Options of an executor, checked.
 *
 * @module
 */
import type { Context } from '@mp/process'
import { checkInteger, wrongType } from '@mp/shared-memory/internal'
import { MAX_WORKERS } from '../layout.js'
import {
  type CheckedPoolOptions,
  type PoolOptions,
  type TaskOptions,
  checkBoolean,
  checkPoolOptions,
} from '../options.js'

/** Options of a `ProcessPoolExecutor`: those of a `Pool`, and Python's names for two of them. */
export interface ExecutorOptions extends PoolOptions {
  /**
   * How many workers; the same as `processes`.
   *
   * @default cpuCount()
   */
  maxWorkers?: number | undefined
  /** Whose start method to use, as `getContext()` gives it; the same as `startMethod`. */
  mpContext?: Context | undefined
}

/** Options of `executor.map`. */
export interface ExecutorMapOptions extends Omit<TaskOptions, 'timeout'> {
  /**
   * How long after the call of `map` the last result has to be there, in milliseconds. Then `next()` rejects with
   * TimeoutError, and what has not started does not start.
   *
   * @default Infinity
   */
  timeout?: number | undefined
  /**
   * How many calls a worker takes at a time.
   *
   * @default 1
   */
  chunkSize?: number | undefined
  /**
   * How many calls are submitted whose results have not been taken; left out: all, at once.
   *
   * @default Infinity
   */
  bufferSize?: number | undefined
}

/** What `executor.shutdown` does. */
export interface ExecutorShutdownOptions {
  /**
   * Whether the promise waits until all calls are done and the workers have ended.
   *
   * @default true
   */
  wait?: boolean | undefined
  /**
   * Whether calls that have not started are cancelled.
   *
   * @default false
   */
  cancelFutures?: boolean | undefined
}

export function checkExecutorOptions(
  given: number | ExecutorOptions | undefined,
): CheckedPoolOptions {
  if (typeof given !== 'object' || given === null) return checkPoolOptions(given)
  const { maxWorkers, mpContext, ...options } = given
  if (maxWorkers !== undefined) {
    options.processes = checkInteger('maxWorkers', maxWorkers, 1, MAX_WORKERS)
  }
  if (mpContext !== undefined) {
    if (typeof (mpContext as Partial<Context> | null)?.getStartMethod !== 'function') {
      throw wrongType('mpContext', 'what getContext() gives', mpContext)
    }
    options.startMethod = mpContext.getStartMethod()
  }
  return checkPoolOptions(options)
}

export function checkShutdown(
  options: ExecutorShutdownOptions | undefined,
): Required<ExecutorShutdownOptions> {
  const { wait = true, cancelFutures = false } = options ?? {}
  checkBoolean('wait', wait)
  checkBoolean('cancelFutures', cancelFutures)
  return { wait, cancelFutures }
}
