/**
 * What a pool tells of itself.
 *
 * @module
 */
import type { Quantiles } from './distribution.js'

/** What a pool tells of a worker. */
export interface PoolProcess {
  readonly pid: number | undefined
  readonly name: string
  readonly exitCode: number | null
}

/** What `pool.stats()` gives. Times are in milliseconds. */
export interface PoolStats {
  /** Tasks: calls of `apply`, chunks of `map` and `imap`. */
  readonly tasks: {
    readonly submitted: number
    readonly completed: number
    readonly failed: number
    readonly retried: number
    /** How many wait for a worker. */
    readonly queued: number
    readonly running: number
  }
  /** From the call until a worker began. */
  readonly waitMs: Quantiles
  /** From then until the function was done. */
  readonly runMs: Quantiles
  readonly workers: readonly WorkerStats[]
  /** How many workers have ended that nobody had asked to. */
  readonly workersLost: number
  readonly serialization: {
    readonly bytesSent: number
    readonly bytesReceived: number
    /** Time spent on encoding and decoding, in this process and in the workers. */
    readonly timeMs: number
  }
}

/** What `pool.stats()` tells of a worker. */
export interface WorkerStats {
  readonly pid: number | undefined
  readonly name: string
  /** How many tasks it has settled. */
  readonly tasks: number
  /** Which part of its life it has spent running tasks, 0 to 1. */
  readonly busy: number
}
