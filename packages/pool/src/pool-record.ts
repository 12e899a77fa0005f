/**
 * What a pool knows about what it has done: counts, times, a trace, events for those who watch.
 *
 * @module
 */
import { Channels } from './channels.js'
import type { Worker } from './crew.js'
import { Distribution, type Quantiles } from './distribution.js'
import type { PoolCore } from './pool-core.js'
import type { Outcome } from './result-reader.js'
import type { Task } from './task.js'
import { Trace } from './trace.js'

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

interface WorkerRecord {
  readonly lane: number
  tasks: number
  busyMs: number
}

export class PoolRecord {
  readonly trace: Trace
  readonly #core: PoolCore
  readonly #channels: Channels
  readonly #waits = new Distribution()
  readonly #runs = new Distribution()
  readonly #workers = new Map<Worker, WorkerRecord>()
  #submitted = 0
  #completed = 0
  #failed = 0
  #retried = 0
  #lost = 0
  #bytesSent = 0
  #bytesReceived = 0
  #codecMs = 0

  constructor(core: PoolCore, name: string) {
    this.#core = core
    this.trace = new Trace(name)
    this.#channels = new Channels(name)
  }

  /** Whether somebody is told of each task that is settled. */
  get isWatched(): boolean {
    return this.#channels.isWatched
  }

  submitted(task: Task): void {
    this.#submitted++
    this.#bytesSent += task.byteLength
    this.#channels.submitted(task)
  }

  retried(task: Task): void {
    this.#retried++
    this.#channels.retried(task)
  }

  /** Its function has been called; the result has arrived. */
  ran(task: Task, { head, isValue, byteLength, decodeMs }: Outcome, worker?: Worker): void {
    task.runMs = head.runMs
    task.waitMs = Math.max(0, head.startedAt - task.submittedAt)
    this.#waits.add(task.waitMs)
    this.#runs.add(task.runMs)
    this.#bytesReceived += byteLength
    this.#codecMs += head.codecMs + decodeMs
    const record = worker === undefined ? undefined : this.#workers.get(worker)
    if (record === undefined) return
    record.tasks++
    record.busyMs += head.runMs
    const name = task.fn.name === '' ? 'anonymous' : task.fn.name
    this.trace.add(name, record.lane, isValue, task.submittedAt, head.startedAt, head.runMs)
  }

  settled(task: Task, isValue: boolean, value: unknown): void {
    if (isValue) this.#completed++
    else this.#failed++
    this.#channels.settled(task, isValue, value)
  }

  /** Time spent on encoding a task. */
  encoded(milliseconds: number): void {
    this.#codecMs += milliseconds
  }

  workerStarted(worker: Worker): void {
    const { name, pid } = worker.process
    this.#workers.set(worker, { lane: this.trace.addLane(name, pid), tasks: 0, busyMs: 0 })
    this.#channels.workerStarted(worker)
  }

  workerEnded(worker: Worker): void {
    if (!worker.isLeaving) this.#lost++
    this.#workers.delete(worker)
    this.#channels.workerEnded(worker)
  }

  stats(queued: number, running: number): PoolStats {
    return {
      tasks: {
        submitted: this.#submitted,
        completed: this.#completed,
        failed: this.#failed,
        retried: this.#retried,
        queued,
        running,
      },
      waitMs: this.#waits.quantiles(),
      runMs: this.#runs.quantiles(),
      workers: [...this.#workers].map(([worker, record]) => this.#describe(worker, record)),
      workersLost: this.#lost,
      serialization: {
        bytesSent: this.#bytesSent,
        bytesReceived: this.#bytesReceived,
        timeMs: this.#codecMs,
      },
    }
  }

  #describe(worker: Worker, { tasks, busyMs }: WorkerRecord): WorkerStats {
    const { pid, name } = worker.process
    const core = this.#core
    const nowMs = core.claim(worker.index) === 0 ? 0 : core.sinceMs(worker.index)
    const livedMs = Math.max(core.now() - worker.startedAt, 0.001)
    return { pid, name, tasks, busy: Math.min(1, (busyMs + nowMs) / livedMs) }
  }
}
