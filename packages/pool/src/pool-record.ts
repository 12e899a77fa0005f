/**
 * What a pool knows about what it has done: counts, times, a trace, events for those who watch.
 *
 * @module
 */
import { Channels } from './channels.js'
import type { Worker } from './crew.js'
import { COUNT, PoolBoard } from './pool-board.js'
import type { Outcome } from './result-reader.js'
import type { Task } from './task.js'
import { Trace } from './trace.js'

export class PoolRecord {
  readonly board: PoolBoard = new PoolBoard()
  readonly trace: Trace
  readonly #channels: Channels
  readonly #changed: () => void
  /** Of the worker in each place. */
  readonly #lanes: number[] = []

  /** @param changed called after each task that is settled. */
  constructor(name: string, changed: () => void) {
    this.#changed = changed
    this.trace = new Trace(name)
    this.#channels = new Channels(name)
  }

  /** Whether somebody is told of each task that is settled. */
  get isWatched(): boolean {
    return this.#channels.isWatched
  }

  submitted(task: Task): void {
    const { counts } = this.board
    counts[COUNT.submitted]++
    counts[COUNT.bytesSent] += task.byteLength
    this.#channels.submitted(task)
  }

  retried(task: Task): void {
    this.board.counts[COUNT.retried]++
    this.#channels.retried(task)
  }

  /** Its function has been called; the result has arrived. */
  ran(task: Task, { head, isValue, byteLength, decodeMs }: Outcome, worker?: Worker): void {
    const { startedAt, runMs } = head
    const { submittedAt } = task
    const waitMs = Math.max(0, startedAt - submittedAt)
    task.receiver.timed?.(runMs)
    this.#channels.ran(task, waitMs, runMs)
    const { counts, waits, runs, tasks, busyMs } = this.board
    waits.add(waitMs)
    runs.add(runMs)
    counts[COUNT.bytesReceived] += byteLength
    counts[COUNT.codecMs] += head.codecMs + decodeMs
    if (worker === undefined) return
    const place = worker.index
    tasks[place]++
    busyMs[place] += runMs
    const name = task.fn.name === '' ? 'anonymous' : task.fn.name
    this.trace.add(name, this.#lanes[place], isValue, submittedAt, startedAt, runMs)
  }

  settled(task: Task, isValue: boolean, value: unknown): void {
    this.board.counts[isValue ? COUNT.completed : COUNT.failed]++
    this.#channels.settled(task, isValue, value)
    this.#changed()
  }

  /** Time spent on encoding a task. */
  encoded(milliseconds: number): void {
    this.board.counts[COUNT.codecMs] += milliseconds
  }

  workerStarted(worker: Worker): void {
    const { index, startedAt, process } = worker
    const { starts, tasks, busyMs } = this.board
    starts[index] = startedAt
    tasks[index] = 0
    busyMs[index] = 0
    this.#lanes[index] = this.trace.addLane(process.name, process.pid)
    this.#channels.workerStarted(worker)
  }

  workerEnded(worker: Worker): void {
    if (!worker.isLeaving) this.board.counts[COUNT.lost]++
    this.#channels.workerEnded(worker)
  }
}
