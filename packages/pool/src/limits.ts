/**
 * Calls tasks off when their time is up or their signal aborts, and stops workers that do not give up.
 *
 * The time of a task counts from when a worker takes it; while every worker is in its initializer, from when that began.
 * What is to be done when is looked at by one timer, or by a thread that blocks for a result.
 *
 * @module
 */
import { TimeoutError, claimOf } from '@mp/shared-memory/internal'
import type { Crew, Worker } from './crew.js'
import { PHASE } from './layout.js'
import type { PoolCore } from './pool-core.js'
import { Signals } from './signals.js'
import type { Task } from './task.js'

/** A worker that has been told to give up its task. */
interface Told {
  readonly number: number
  readonly stopAt: number
}

export class Limits {
  readonly #core: PoolCore
  readonly #crew: () => Crew
  readonly #graceMs: number
  readonly #callOff: (task: Task, error: unknown) => void
  /** When to look at each next. */
  readonly #timed = new Map<Task, number>()
  readonly #told = new Map<Worker, Told>()
  readonly #signals: Signals
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  constructor(
    core: PoolCore,
    crew: () => Crew,
    graceMs: number,
    callOff: (task: Task, error: unknown) => void,
  ) {
    this.#core = core
    this.#crew = crew
    this.#graceMs = graceMs
    this.#callOff = callOff
    this.#signals = new Signals(callOff)
  }

  /** Watches a task until it is settled. */
  watch(task: Task): void {
    const { signal, timeoutMs } = task.options
    if (signal !== undefined) this.#signals.listen(task, signal)
    if (timeoutMs !== Infinity) this.#lookAt(task, this.#core.now() + timeoutMs)
    task.cleanUp = () => {
      if (signal !== undefined) this.#signals.unlisten(task, signal)
      this.#timed.delete(task)
      if (this.#timed.size === 0 && this.#told.size === 0) this.#disarm()
    }
  }

  /** A worker's task is not wanted any more. */
  callOff(worker: Worker, number: number): void {
    this.#core.tell(worker.index, number)
    if (this.#graceMs <= 0) return this.#crew().stopTask(worker, number)
    const stopAt = this.#core.now() + this.#graceMs
    this.#told.set(worker, { number, stopAt })
    this.#arm(stopAt)
  }

  /** A worker has finished a task. */
  finished(index: number, number: number): void {
    if (this.#told.size === 0) return
    for (const [worker, told] of this.#told) {
      if (worker.index === index && told.number === number) this.#told.delete(worker)
    }
  }

  workerEnded(worker: Worker): void {
    this.#told.delete(worker)
  }

  /** Does what is due. */
  check(): void {
    const now = this.#core.now()
    let next = Infinity
    for (const [task, at] of this.#timed) {
      let lookAt = at
      if (at <= now) {
        const leftMs = task.options.timeoutMs - this.#runningMs(task)
        if (leftMs <= 0) {
          this.#callOff(task, timeoutOf(task))
          continue
        }
        lookAt = now + leftMs
        this.#timed.set(task, lookAt)
      }
      next = Math.min(next, lookAt)
    }
    for (const [worker, { number, stopAt }] of this.#told) {
      if (this.#core.claim(worker.index) !== claimOf(number)) {
        this.#told.delete(worker)
      } else if (stopAt <= now) {
        this.#told.delete(worker)
        this.#crew().stopTask(worker, number)
      } else {
        next = Math.min(next, stopAt)
      }
    }
    this.#disarm()
    this.#arm(next)
  }

  /** For how long a task has been running, or has been kept from it by initializers that do not end. */
  #runningMs(task: Task): number {
    const core = this.#core
    const place = task.number < 0 ? -1 : core.claimant(task.number)
    // Who has taken it and not started it says still since when it was idle.
    if (place >= 0) return core.isQueued(task.number) ? 0 : core.sinceMs(place)
    let shortest = Infinity
    for (const worker of this.#crew().workers) {
      if (worker === undefined) continue
      if (core.phase(worker.index) !== PHASE.initializing) return 0
      shortest = Math.min(shortest, core.sinceMs(worker.index))
    }
    return shortest === Infinity ? 0 : Math.min(shortest, core.now() - task.submittedAt)
  }

  #lookAt(task: Task, at: number): void {
    this.#timed.set(task, at)
    this.#arm(at)
  }

  #arm(at: number): void {
    if (at >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    const delayMs = Math.min(Math.max(0, at - this.#core.now()), 0x7fffffff)
    // It is the tasks that keep the process alive.
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity
      this.check()
    }, Math.ceil(delayMs)).unref()
  }

  #disarm(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Infinity
  }
}

function timeoutOf(task: Task): TimeoutError {
  return new TimeoutError(`${task.label} ran for more than ${task.options.timeoutMs} ms`)
}
