/**
 * Gives tasks to workers and settles them.
 *
 * Tasks wait in order in a backlog of this process; a bounded number lies in the
 * shared ring, from which workers help themselves. Results come back by a second
 * ring. Each task settles exactly once: by its result, by the death of the worker
 * that had taken it, or because it was called off.
 *
 * @module
 */
import type { Crew, Worker } from './crew.js'
import { WorkerLostError } from './errors.js'
import { Feeder } from './feeder.js'
import type { SentFunctions } from './functions.js'
import { Limits } from './limits.js'
import { MemoryGuess } from './memory-guess.js'
import { STATUS } from './messages.js'
import { PagedTask, isLong } from './paged-task.js'
import type { PoolCore } from './pool-core.js'
import type { PoolRecord } from './pool-record.js'
import { type Outcome, ResultReader } from './result-reader.js'
import { ResultWatch } from './result-watch.js'
import { type NewTask, Task } from './task.js'

/** After so many tasks that were given in one go, some results are settled between. */
const GIVEN = 64
/** What the dispatcher tells the pool. */
export interface DispatcherEvents {
  initializerFailed(error: unknown): void
  /** The last task is settled. */
  idle(): void
  /** Shared memory makes no sense. */
  corrupt(error: unknown): void
}

/** What the dispatcher works with. */
export interface DispatcherParts {
  readonly core: PoolCore
  readonly functions: SentFunctions
  readonly record: PoolRecord
  readonly graceMs: number
  crew(): Crew
}

export class Dispatcher {
  readonly #parts: DispatcherParts
  readonly #events: DispatcherEvents
  readonly #feeder: Feeder
  readonly #limits: Limits
  readonly #reader: ResultReader
  readonly #watch: ResultWatch
  readonly #memory = new MemoryGuess()
  #pending = 0
  /** Tasks given since results were last looked for. */
  #given = 0
  /** Results whose receivers may call code of users; read while somebody gave tasks. */
  readonly #held: Outcome[] = []

  constructor(parts: DispatcherParts, events: DispatcherEvents) {
    this.#parts = parts
    this.#events = events
    this.#limits = new Limits(parts.core, parts.crew, parts.graceMs, (task, error) =>
      this.callOff(task, error),
    )
    this.#feeder = new Feeder({
      core: parts.core,
      size: () => parts.crew().size,
      fail: (task, error) => this.#fail(task, error),
    })
    const { dispatched } = this.#feeder
    this.#reader = new ResultReader(parts.core, (number) => dispatched.get(number))
    this.#watch = new ResultWatch(parts.core, {
      drain: (most) => this.#drain(most),
      isBusy: () => this.#pending > 0,
      checkAll: () => {
        parts.crew().checkAll()
        this.#limits.check()
      },
      corrupt: (error) => events.corrupt(error),
    })
  }

  /** How many tasks are not settled. */
  get pending(): number {
    return this.#pending
  }

  /** As `PoolCore.now`. */
  now(): number {
    return this.#parts.core.now()
  }

  /** A task for `submit`, which is to encode it before. */
  newTask(...args: NewTask): Task {
    const [mode, fn, payload, items, options, receiver] = args
    return options.retries === 0 && isLong(payload) && this.#feeder.hasIdle
      ? new PagedTask(this.#parts.core.session, mode, fn, items, options, receiver)
      : new Task(mode, fn, items, options, receiver)
  }

  submit(task: Task): void {
    const { record } = this.#parts
    this.#pending++
    if (task.options.lease) this.#reader.leases++
    record.submitted(task)
    if (task.options.isLimited) {
      if (task.options.signal?.aborted) return this.#fail(task, task.options.signal.reason)
      this.#limits.watch(task)
    }
    this.#feeder.add(task)
    this.#parts.crew().fill()
    this.#watch.listen()
    if (++this.#given >= GIVEN) this.#settleQuietly()
  }

  /** Settles every task with an error. */
  rejectAll(error: unknown): void {
    for (const task of this.#feeder.clear()) this.#fail(task, error)
  }

  /**
   * Settles a task with an error: keeps one that has not started from starting; tells the worker of one that runs, and
   * stops it after the grace.
   */
  callOff(task: Task, error: unknown): void {
    const worker = this.#parts.crew().workers[this.#takeBack(task)]
    if (worker !== undefined) this.#limits.callOff(worker, task.number)
    this.#fail(task, error)
    this.#feeder.pump()
  }

  /** Settles a task with an error as `callOff` does, but lets the worker of one that runs finish what it is at. */
  discard(task: Task, error: unknown): void {
    const place = this.#takeBack(task)
    if (place >= 0) this.#parts.core.tell(place, task.number)
    this.#fail(task, error)
  }

  /** Settles a task with an error unless a worker has started it; tells whether it did. */
  withdraw(task: Task, error: unknown): boolean {
    if (task.isSettled || (task.number >= 0 && !this.#parts.core.cancel(task.number))) return false
    this.#feeder.dispatched.delete(task.number)
    this.#fail(task, error)
    this.#feeder.pump()
    return true
  }

  /** Does so with every task. */
  withdrawAll(error: unknown): void {
    const tasks = [...this.#feeder.dispatched.values(), ...this.#feeder.takeWaiting()]
    for (const task of tasks) this.withdraw(task, error)
  }

  /** Keeps a task from starting; else gives the place of the worker that runs it, -1 when nobody has signed for it. */
  #takeBack(task: Task): number {
    // One that is still in the backlog is passed over there, because it is settled.
    if (task.isSettled || task.number < 0) return -1
    this.#feeder.dispatched.delete(task.number)
    const { core } = this.#parts
    // Nobody has signed for it any more: its result is on the way and comes too late.
    return core.cancel(task.number) ? -1 : core.claimant(task.number)
  }

  /** Blocks this thread until something is settled. */
  waitSync(isSettled: () => boolean): void {
    this.#watch.waitSync(isSettled)
  }

  /**
   * Judges what a worker that has ended leaves behind.
   *
   * The order proves the verdict. Whoever takes a task signs for it, then takes it; puts its result, then clears its
   * signature. So of a task that the dead worker signed for: (1) if it is not taken, the ring still has it; else (2) if
   * another has signed, it is with that one; else (3) if there is no result, it was the dead worker's.
   *
   * @returns whether a task is to blame.
   */
  workerEnded(worker: Worker, exitCode: number | null): boolean {
    const { core } = this.#parts
    const claim = core.claim(worker.index)
    const number = (claim - 1) & COUNT_MASK
    const ahead = (core.tasks.taken - number) & COUNT_MASK
    core.finish(worker.index, core.now())
    const another = core.claimant(number)
    this.#drain(Infinity)
    this.#limits.workerEnded(worker)
    const task = this.#feeder.dispatched.get(number)
    const isToBlame =
      claim !== 0 && ahead > 0 && ahead <= MAX_AHEAD && another < 0 && task !== undefined
    if (isToBlame) this.#lost(task, worker, exitCode)
    this.#feeder.pump()
    return isToBlame || (claim !== 0 && worker.isLeaving)
  }

  #lost(task: Task, worker: Worker, exitCode: number | null): void {
    this.#feeder.dispatched.delete(task.number)
    if (task.retriesLeft > 0) {
      task.retriesLeft--
      this.#parts.record.retried(task)
      this.#feeder.addAgain(task)
      return
    }
    this.#fail(task, this.#lossOf(task, worker, exitCode))
  }

  #lossOf(task: Task, worker: Worker, exitCode: number | null): WorkerLostError {
    const isOutOfMemory = this.#memory.isOutOfMemory(exitCode)
    return new WorkerLostError(task.label, worker.process.pid, exitCode, isOutOfMemory)
  }

  /**
   * Settles results while somebody gives one task after the other: what waits for the end of that takes memory, and is
   * copied by the collector again and again.
   *
   * Code of users does not expect to be called from here: what may call some is kept for the event loop's turn.
   */
  #settleQuietly(): void {
    this.#given = 0
    if (this.#held.length > 0 || this.#parts.record.isWatched) return
    for (let n = 0; n < 2 * GIVEN; n++) {
      const outcome = this.#reader.nextPlain()
      if (outcome === undefined) break
      if (outcome.isPlain && outcome.task?.receiver.isQuiet === true) {
        this.#handle(outcome)
      } else {
        this.#held.push(outcome)
        break
      }
    }
    if (this.#feeder.isBehind) this.#feeder.pump()
  }

  /** @returns how many results there were. */
  #drain(most: number): number {
    this.#given = 0
    let n = 0
    while (n < most) {
      const outcome = this.#held.length > 0 ? this.#nextHeld() : this.#reader.next()
      if (outcome === undefined) break
      n++
      this.#handle(outcome)
    }
    if (n > 0 && this.#feeder.isBehind) this.#feeder.pump()
    return n
  }

  #nextHeld(): Outcome | undefined {
    const outcome = this.#held.shift()
    return outcome === undefined ? undefined : this.#reader.finish(outcome)
  }

  #handle(outcome: Outcome): void {
    const { head, task } = outcome
    const crew = this.#parts.crew()
    switch (head.status) {
      case STATUS.ready:
        return crew.markReady(head.worker)
      case STATUS.expiring:
        return crew.markExpiring(head.worker)
      case STATUS.large:
        return crew.markLarge(head.worker)
      case STATUS.initializerError:
        return this.#events.initializerFailed(outcome.value)
      default:
    }
    crew.markProven(head.worker)
    this.#limits.finished(head.worker, head.number)
    if (task === undefined || head.status === STATUS.dropped) return
    this.#feeder.dispatched.delete(head.number)
    this.#parts.record.ran(task, outcome, crew.workers[head.worker])
    if (outcome.later !== undefined) {
      void outcome.later.then(
        (value) => this.#settle(task, head.status === STATUS.value, value),
        (error: unknown) => this.#fail(task, error),
      )
    } else {
      this.#settle(task, outcome.isValue, outcome.value)
    }
  }

  #fail(task: Task, error: unknown): void {
    this.#settle(task, false, error)
  }

  #settle(task: Task, isValue: boolean, value: unknown): void {
    if (task.isSettled) return
    task.isSettled = true
    this.#pending--
    if (task.options.lease) this.#reader.leases--
    task.cancel()
    task.forget()
    this.#parts.functions.release(task.fn)
    this.#parts.record.settled(task, isValue, value)
    if (isValue) task.receiver.resolve(value)
    else task.receiver.reject(value)
    if (this.#pending > 0) return
    this.#watch.idle()
    this.#events.idle()
  }
}

const COUNT_MASK = 0x7fffffff
/** Numbers wrap; that of a living task is never so far behind. */
const MAX_AHEAD = 0x3fffffff
