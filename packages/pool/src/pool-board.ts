/**
 * Counts and times of a pool, in shared memory, so that whoever has a handle of the pool sees them without asking.
 *
 * Only the pool's own thread writes. Who reads elsewhere may see a sum without its latest part; nothing depends on it.
 *
 * @module
 */
import { SharedArray } from '@mp/shared-memory'
import { Distribution, RANGES } from './distribution.js'
import { PLACES } from './layout.js'
import type { HiredWorker, PoolCore } from './pool-core.js'
import type { PoolProcess, PoolStats, WorkerStats } from './pool-stats.js'

/** Places of the counts. */
export const COUNT = {
  submitted: 0,
  completed: 1,
  failed: 2,
  retried: 3,
  lost: 4,
  bytesSent: 5,
  bytesReceived: 6,
  codecMs: 7,
  /** The pool's `maxQueued`. */
  maxQueued: 8,
} as const

const COUNTS = 9
const TABLES = COUNTS + 3 * PLACES
const LENGTH = TABLES + 2 * RANGES

export class PoolBoard {
  readonly shared: SharedArray<Float64Array>
  /** See `COUNT`. */
  readonly counts: Float64Array
  readonly waits: Distribution
  readonly runs: Distribution
  /** Of the worker in each place: when it was started, how many tasks it has settled, how long they ran. */
  readonly starts: Float64Array
  readonly tasks: Float64Array
  readonly busyMs: Float64Array

  constructor(shared?: SharedArray<Float64Array>) {
    this.shared = shared ?? new SharedArray(Float64Array, LENGTH)
    const { array } = this.shared
    const table = (n: number): Float64Array =>
      array.subarray(COUNTS + n * PLACES, COUNTS + (n + 1) * PLACES)
    this.counts = array.subarray(0, COUNTS)
    this.starts = table(0)
    this.tasks = table(1)
    this.busyMs = table(2)
    this.waits = new Distribution(array.subarray(TABLES, TABLES + RANGES))
    this.runs = new Distribution(array.subarray(TABLES + RANGES, LENGTH))
  }

  /**
   * @param core undefined when the pool has ended.
   * @param name of the pool.
   */
  stats(core: PoolCore | undefined, name: string): PoolStats {
    const { counts } = this
    const workers = core?.crew() ?? []
    const submitted = counts[COUNT.submitted]
    const completed = counts[COUNT.completed]
    const failed = counts[COUNT.failed]
    const pending = Math.max(0, submitted - completed - failed)
    const busy = workers.filter(({ place }) => core?.claim(place) !== 0).length
    const running = Math.min(busy, pending)
    return {
      tasks: {
        submitted,
        completed,
        failed,
        retried: counts[COUNT.retried],
        queued: pending - running,
        running,
      },
      waitMs: this.waits.quantiles(),
      runMs: this.runs.quantiles(),
      workers: workers.map((worker) => this.#describe(core!, worker, name)),
      workersLost: counts[COUNT.lost],
      serialization: {
        bytesSent: counts[COUNT.bytesSent],
        bytesReceived: counts[COUNT.bytesReceived],
        timeMs: counts[COUNT.codecMs],
      },
    }
  }

  #describe(core: PoolCore, { place, number, pid }: HiredWorker, name: string): WorkerStats {
    const nowMs = core.claim(place) === 0 ? 0 : core.sinceMs(place)
    const livedMs = Math.max(core.now() - this.starts[place], 0.001)
    return {
      pid,
      name: workerName(name, number),
      tasks: this.tasks[place],
      busy: Math.min(1, (this.busyMs[place] + nowMs) / livedMs),
    }
  }
}

export function workerName(pool: string, number: number): string {
  return `${pool}-${number}`
}

/** The workers of a pool, for those who have started none of them. */
export function processesOf(core: PoolCore | undefined, name: string): PoolProcess[] {
  const workers = core?.crew() ?? []
  return workers.map(({ number, pid }) => ({ pid, name: workerName(name, number), exitCode: null }))
}
