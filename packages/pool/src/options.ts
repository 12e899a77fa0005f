/**
 * Options of a pool and of its calls, checked.
 *
 * @module
 */
import { type StartMethod, cpuCount } from '@mp/process'
import { checkStartMethod } from '@mp/process/internal'
import { checkInteger, checkWaitOptions, outOfRange, wrongType } from '@mp/shared-memory/internal'
import { MAX_WORKERS } from './layout.js'

/** Options of every call that gives a pool work. */
export interface TaskOptions {
  /**
   * How long a task may run, in milliseconds from when a worker took it. Then it is told, its worker is stopped and
   * replaced after the pool's `grace` unless it ends before, and the call rejects with TimeoutError.
   *
   * @default Infinity
   */
  timeout?: number | undefined
  /**
   * Ends the task when it aborts: one that is queued never starts; one that runs is told (`currentTask().signal`), and
   * its worker is stopped and replaced after the pool's `grace` unless it ends before. The call rejects at once.
   */
  signal?: AbortSignal | undefined
  /**
   * How often a task is tried again after its worker died.
   *
   * @default 0
   */
  retries?: number | undefined
  /**
   * Tasks of a higher priority are given to workers first.
   *
   * @default 0
   */
  priority?: number | undefined
  /** Called after each chunk of a `map` or `starmap`, and each item of an `imap`, in the async context of the call. */
  onProgress?: ((progress: Progress) => void) | undefined
  /**
   * Whether to draw a progress bar on stderr; does nothing where that is not a terminal.
   *
   * @default false
   */
  progress?: boolean | undefined
}

/** How far a call has come. */
export interface Progress {
  /** How many items are done, failed ones among them. */
  readonly done: number
  /** How many there are; undefined while the input is still being read. */
  readonly total: number | undefined
  /** How many of those that are done failed. */
  readonly failed: number
  /** Since the call, in milliseconds. */
  readonly elapsedMs: number
  /** Items a second since the call. */
  readonly rate: number
  /** How long the rest takes at that rate, in milliseconds; undefined while that cannot be known. */
  readonly etaMs: number | undefined
}

/** Options of `apply` and its like, to get large typed arrays of the result without a copy. */
export interface LeaseTaskOptions extends TaskOptions {
  /** Leaves the result in shared memory, and gives a `Lease` of it. */
  lease: true
}

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
   * How long an initializer may take, in milliseconds. Then every task rejects with TimeoutError.
   *
   * @default 60000
   */
  initializerTimeout?: number | undefined
  /**
   * After so many tasks a worker ends. Its successor is started before, and waits.
   *
   * @default Infinity
   */
  maxTasksPerChild?: number | undefined
  /**
   * A worker whose resident memory (of a thread: its heap and its buffers) has passed so many bytes after a task ends as soon as its
   * successor is ready, or goes on until the system grants one.
   *
   * @default Infinity
   */
  maxMemoryPerChild?: number | undefined
  /**
   * How long a task that was called off has to end by itself, in milliseconds, before its worker is stopped.
   *
   * @default 500
   */
  grace?: number | undefined
  /**
   * Workers that have had nothing to do for so long, in milliseconds, end; new ones start when there is work.
   *
   * @default Infinity
   */
  idleTimeout?: number | undefined
  /**
   * How many workers stay, and are started at once, though there is nothing to do; the others start when there is work.
   *
   * @default 0 with an `idleTimeout`, else `processes`
   */
  minProcesses?: number | undefined
  /**
   * How many tasks may wait for a worker. While so many do, a call rejects or throws PoolFullError, and one that blocks its
   * thread waits; `await pool.room()` waits until fewer do. Chunks of one `map` and what `imap` reads ahead count, and are
   * not refused.
   *
   * @default Infinity
   */
  maxQueued?: number | undefined
  /** How workers are started; left out: as `getStartMethod()` says. */
  startMethod?: StartMethod | undefined
  /** The environment of the workers, as of a `Process`. */
  env?: NodeJS.ProcessEnv | undefined
  /** The working directory of the workers, as of a `Process`. */
  cwd?: string | URL | undefined
  /** Flags of Node for the workers, as of a `Process`. */
  execArgv?: readonly string[] | undefined
  /**
   * Where the standard streams of the workers go.
   *
   * @default 'inherit'
   */
  stdio?: 'inherit' | 'ignore' | undefined
  /**
   * What the workers' names begin with.
   *
   * @default 'PoolWorker'
   */
  name?: string | undefined
}

/** Options of `map`, `starmap` and their like. */
export interface MapOptions extends TaskOptions {
  /**
   * How many items a worker takes at a time; left out: so that each worker takes four times, as in Python. `'auto'`: as
   * many as take about a fifth of a second.
   */
  chunkSize?: number | 'auto' | undefined
  /**
   * Whether to go on after an error and give an outcome for each item, as `Promise.allSettled` does.
   *
   * @default false: rejects with the first error, and what has not started does not start
   */
  settle?: boolean | undefined
}

/** Options of `map` and its like that give outcomes. */
export interface SettleOptions extends MapOptions {
  settle: true
}

/** Options of `imap` and `imapUnordered`. */
export interface ImapCallOptions extends TaskOptions {
  /**
   * How many items a worker takes at a time.
   *
   * @default 1
   */
  chunkSize?: number | 'auto' | undefined
  /** How many items are read ahead of the consumer; left out: four chunks for each worker. */
  buffer?: number | undefined
}

/** A pool's options with everything filled in. */
export interface CheckedPoolOptions {
  readonly processes: number
  readonly initializer: ((...args: never[]) => unknown) | undefined
  readonly initArgs: readonly unknown[]
  readonly initializerTimeoutMs: number
  readonly graceMs: number
  readonly idleMs: number
  /** How many workers stay though there is nothing to do; Infinity: all. */
  readonly least: number
  readonly maxTasks: number
  readonly maxMemory: number
  readonly maxQueued: number
  readonly startMethod: StartMethod | undefined
  readonly launch: Pick<PoolOptions, 'env' | 'cwd' | 'execArgv' | 'stdio'>
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
  const processes = checkProcesses(options.processes ?? Math.min(cpuCount(), MAX_WORKERS))
  const idleMs = checkTime('idleTimeout', options.idleTimeout, Infinity)
  const least =
    options.minProcesses === undefined
      ? idleMs === Infinity
        ? Infinity
        : 0
      : checkInteger('minProcesses', options.minProcesses, 0, processes)
  if (options.startMethod !== undefined) checkStartMethod('startMethod', options.startMethod)
  return {
    processes,
    initializer,
    initArgs,
    initializerTimeoutMs: checkTime('initializerTimeout', options.initializerTimeout, 60_000),
    graceMs: checkTime('grace', options.grace, 500),
    idleMs,
    least,
    maxTasks: checkLimit('maxTasksPerChild', options.maxTasksPerChild),
    maxMemory: checkLimit('maxMemoryPerChild', options.maxMemoryPerChild),
    maxQueued: checkLimit('maxQueued', options.maxQueued, 0),
    startMethod: options.startMethod,
    launch: checkLaunch(options),
    name,
  }
}

/** The others are checked by `Process`. */
function checkLaunch({ env, cwd, execArgv, stdio }: PoolOptions): CheckedPoolOptions['launch'] {
  if (stdio !== undefined && stdio !== 'inherit' && stdio !== 'ignore') {
    throw wrongType('stdio', "'inherit' or 'ignore'", stdio)
  }
  return { env, cwd, execArgv, stdio }
}

export function checkProcesses(processes: unknown): number {
  return checkInteger('processes', processes, 1, MAX_WORKERS)
}

/** What the calls have in common. */
export interface CheckedTaskOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  /** Whether it has a timeout or a signal. */
  readonly isLimited: boolean
  readonly retries: number
  readonly priority: number
  readonly lease: boolean
  readonly onProgress: ((progress: Progress) => void) | undefined
  readonly progress: boolean
  /** Whether the result stays encoded, for somebody else. */
  readonly raw?: boolean
}

const DEFAULTS: CheckedTaskOptions = {
  timeoutMs: Infinity,
  signal: undefined,
  isLimited: false,
  retries: 0,
  priority: 0,
  lease: false,
  onProgress: undefined,
  progress: false,
}

export function checkTaskOptions(
  options: (TaskOptions & { lease?: boolean }) | undefined,
): CheckedTaskOptions {
  if (options === undefined) return DEFAULTS
  const timeoutMs = checkWaitOptions(options)
  if (timeoutMs <= 0) throw outOfRange('timeout', 'more than 0 milliseconds', timeoutMs)
  const { retries = 0, priority = 0, onProgress, signal, progress = false, lease = false } = options
  checkInteger('retries', retries, 0)
  if (typeof priority !== 'number') throw wrongType('priority', 'a number', priority)
  if (Number.isNaN(priority)) throw outOfRange('priority', 'a number', priority)
  if (onProgress !== undefined) checkFunction('onProgress', onProgress)
  checkBoolean('progress', progress)
  checkBoolean('lease', lease)
  const isLimited = timeoutMs !== Infinity || signal !== undefined
  return { timeoutMs, signal, isLimited, retries, priority, lease, onProgress, progress }
}

export function checkChunkSize(
  chunkSize: number | 'auto' | undefined,
): number | 'auto' | undefined {
  if (chunkSize === undefined || chunkSize === 'auto') return chunkSize
  if (typeof chunkSize !== 'number') {
    throw wrongType('chunkSize', "a positive integer or 'auto'", chunkSize)
  }
  return checkInteger('chunkSize', chunkSize, 1)
}

export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw wrongType(name, 'a boolean', value)
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw wrongType(name, 'a function', value)
}

function checkTime(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise
  if (typeof value !== 'number') throw wrongType(name, 'a number of milliseconds', value)
  if (Number.isNaN(value) || value < 0) throw outOfRange(name, '0 or more milliseconds', value)
  return value
}

function checkLimit(name: string, value: number | undefined, least = 1): number {
  return value === undefined || value === Infinity ? Infinity : checkInteger(name, value, least)
}
