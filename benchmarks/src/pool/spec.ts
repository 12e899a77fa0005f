/**
 * What a program measures of a pool: the argument of each, as JSON. `python/pools.py` reads the same.
 *
 * @module
 */

export interface PoolSpec {
  readonly pool: PoolName
  /**
   * `burst`: tasks a second, all given at once. `round-trip`: microseconds from call to result, one after the other.
   * `map`, `imap`: items a second. `large`: bytes a second, each task with a megabyte as argument and as result.
   * `cold`: milliseconds from making the pool to its first result.
   */
  readonly what: 'burst' | 'round-trip' | 'map' | 'imap' | 'large' | 'cold'
  /** How many tasks or items. */
  readonly count: number
  readonly workers: number
}

export type PoolName =
  | 'ours'
  | 'ours-thread'
  | 'piscina'
  | 'tinypool'
  | 'tinypool-process'
  | 'workerpool'
  | 'workerpool-process'
  | 'poolifier'
  | 'python'
  | 'python-executor'
