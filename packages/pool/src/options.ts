/**
 * Options of a pool and of its calls, checked.
 *
 * @module
 */
import { type StartMethod, cpuCount } from '@mp/process'
import { checkInteger, checkWaitOptions, outOfRange, wrongType } from '@mp/shared-memory/internal'
import { MAX_WORKERS } from './layout.js'
import type { Progress, TaskOptions } from './task.js'

/** Options of a `Pool`. */
export interface PoolOptions {
  /**
   * How many workers.
   *
   * @default cpuCount()
   */
  processes?: number | undefined
  /** Called in each worker before its first task, and waited for. If it fails, every task rejects with its error. */
  initializer?: ((...args: never[]) => unknown) | undefined
  /** Arguments of the initializer. */
  initArgs?: readonly unknown[] | undefined
  /**
   * After so many tasks a worker ends and is replaced.
   *
   * @default Infinity
   */
  maxTasksPerChild?: number | undefined
  /**
   * A worker whose resident memory has passed so many bytes after a task ends and is replaced.
   *
   * @default Infinity
   */
  maxMemoryPerChild?: number | undefined
  /** How workers are started; left out: as `getStartMethod()` says. */
  startMethod?: StartMethod | undefined
  /**
   * What the workers' names begin with.
   *
   * @default 'PoolWorker'
   */
  name?: string | undefined
}

/** Options of `map`, `starmap` and their like. */
export interface MapOptions extends TaskOptions {
  /** How many items a worker takes at a time; left out: so that each worker takes four times, as in Python. */
  chunkSize?: number | undefined
}

/** Options of `imap` and `imapUnordered`. */
export interface ImapCallOptions extends TaskOptions {
  /**
   * How many items a worker takes at a time.
   *
   * @default 1
   */
  chunkSize?: number | undefined
  /** How many items are read ahead of the consumer; left out: four chunks for each worker. */
  buffer?: number | undefined
}

/** A pool's options with everything filled in. */
export interface CheckedPoolOptions {
  readonly processes: number
  readonly initializer: ((...args: never[]) => unknown) | undefined
  readonly initArgs: readonly unknown[]
  readonly maxTasks: number
  readonly maxMemory: number
  readonly startMethod: StartMethod | undefined
  readonly name: string
}

export function checkPoolOptions(given: number | PoolOptions | undefined): CheckedPoolOptions {
  if (
    given !== undefined &&
    typeof given !== 'number' &&
    (typeof given !== 'object' || given === null)
  ) {
    throw wrongType('processes', 'a positive integer or an object', given)
  }
  const options = typeof given === 'number' ? { processes: given } : (given ?? {})
  const { initializer, initArgs = [], name = 'PoolWorker' } = options
  if (initializer !== undefined) checkFunction('initializer', initializer)
  if (!Array.isArray(initArgs)) throw wrongType('initArgs', 'an array', initArgs)
  if (typeof name !== 'string') throw wrongType('name', 'a string', name)
  return {
    processes: checkInteger(
      'processes',
      options.processes ?? Math.min(cpuCount(), MAX_WORKERS),
      1,
      MAX_WORKERS,
    ),
    initializer,
    initArgs,
    maxTasks: checkLimit('maxTasksPerChild', options.maxTasksPerChild),
    maxMemory: checkLimit('maxMemoryPerChild', options.maxMemoryPerChild),
    startMethod: options.startMethod,
    name,
  }
}

/** What the calls have in common. */
export interface CheckedTaskOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  readonly retries: number
  readonly priority: number
  readonly onProgress: (progress: Progress) => void
}

export function checkTaskOptions(options: TaskOptions | undefined): CheckedTaskOptions {
  const timeoutMs = checkWaitOptions(options)
  if (timeoutMs <= 0) throw outOfRange('timeout', 'more than 0 milliseconds', timeoutMs)
  const { retries = 0, priority = 0, onProgress = () => {}, signal } = options ?? {}
  checkInteger('retries', retries, 0)
  if (typeof priority !== 'number') throw wrongType('priority', 'a number', priority)
  if (Number.isNaN(priority)) throw outOfRange('priority', 'a number', priority)
  checkFunction('onProgress', onProgress)
  return { timeoutMs, signal, retries, priority, onProgress }
}

export function checkChunkSize(chunkSize: number | undefined): number | undefined {
  return chunkSize === undefined ? undefined : checkInteger('chunkSize', chunkSize, 1)
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw wrongType(name, 'a function', value)
}

function checkLimit(name: string, value: number | undefined): number {
  return value === undefined || value === Infinity ? Infinity : checkInteger(name, value, 1)
}
