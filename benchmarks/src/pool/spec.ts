/**
 * What a program measures of a pool: the argument of each, as JSON. `python/pools.py` reads the same.
 *
 * @module
 */

export interface PoolSpec {
  readonly pool: PoolName
  /**
   * `burst`: tasks a second, all given at once. `inline`: the same, each with a function that is written where the task is given, and
   * so is another one each time. `round-trip`: microseconds from call to result, one after the other;
   * `first-trips`: the same, of a pool that has had one task only.
   * `map`, `imap`: items a second. `large`: bytes a second, each task with a megabyte as argument and as result.
   * `cold`: milliseconds from making the pool to its first result. `speed-up`: how many times faster computation is
   * than without a pool. `memory`: bytes that each worker adds.
   */
  readonly what:
    | 'burst'
    | 'inline'
    | 'round-trip'
    | 'first-trips'
    | 'map'
    | 'imap'
    | 'large'
    | 'cold'
    | 'speed-up'
    | 'memory'
  /** How many tasks or items; of `memory`, tasks a worker. */
  readonly count: number
  readonly workers: number
}

export type PoolName =
  | 'ours'
  | 'ours-forkserver'
  | 'ours-thread'
  | 'piscina'
  | 'tinypool'
  | 'tinypool-process'
  | 'workerpool'
  | 'workerpool-process'
  | 'poolifier'
  | 'poolifier-process'
  | 'python'
  | 'python-executor'
