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
import { loads, loadsAsync } from '@mp/pickle'
import {
  PENDING,
  type PutResult,
  TimeoutError,
  claimOf,
  collectRevived,
} from '@mp/shared-memory/internal'
import { Backlog } from './backlog.js'
import type { Crew, Worker } from './crew.js'
import { WorkerLostError } from './errors.js'
import { MAX_QUEUED } from './layout.js'
import { type ResultMessage, STATUS, decodeResult, encodeTask } from './messages.js'
import type { PoolCore } from './pool-core.js'
import type { Outcome, Task } from './task.js'

/** How many results are handled before timers and others get a turn. */
const TURN = 1000
/** When the session's memory is full and no result is due, look again after so long. */
const MEMORY_RECHECK_MS = 10

/** What the dispatcher tells the pool. */
export interface DispatcherEvents {
  initializerFailed(error: unknown): void
  /** The last task is settled. */
  idle(): void
}

export class Dispatcher {
  readonly #core: PoolCore
  readonly #crew: () => Crew
  readonly #onInitializerError: (error: unknown) => void
  readonly #onIdle: () => void
  readonly #backlog = new Backlog()
  /** Tasks in the ring or with a worker, by number. */
  readonly #dispatched = new Map<number, Task>()
  readonly #cleanUps = new Map<Task, () => void>()
  #listening: AbortController | undefined

  constructor(core: PoolCore, crew: () => Crew, events: DispatcherEvents) {
    this.#core = core
    this.#crew = crew
    this.#onInitializerError = events.initializerFailed
    this.#onIdle = events.idle
  }

  /** How many tasks are not settled. */
  get pending(): number {
    return this.#cleanUps.size
  }

  submit(task: Task): void {
    if (task.signal?.aborted) {
      task.settle({ ok: false, error: task.signal.reason })
      return
    }
    this.#cleanUps.set(task, this.#watch(task))
    this.#backlog.add(task)
    this.#pump()
    void this.#listen()
  }

  /** Settles every task with an error. */
  rejectAll(error: unknown): void {
    for (const task of this.#cleanUps.keys()) this.#settle(task, { ok: false, error })
  }

  /** Keeps a task that has not started from starting, and settles it. */
  withdraw(task: Task, error: unknown): void {
    if (task.number < 0 || this.#core.cancel(task.number)) this.#settle(task, { ok: false, error })
  }

  /** Blocks this thread until a task is settled. */
  waitSync(isSettled: () => boolean): void {
    const { waiting } = this.#core.session
    const taking = this.#core.results.taking()
    while (!isSettled()) {
      // A short wait each time: this thread hears of a worker's death only by looking.
      const message = waiting.block(taking, this.#core.session.agent.platform.now() + 20)
      if (message === PENDING) this.#crew().checkAll()
      else this.#handle(decodeResult(message))
    }
  }

  /**
   * Judges what a worker that has ended leaves behind.
   *
   * The order proves the verdict. Whoever takes a task signs for it, then takes it; puts its result, then clears its
   * signature. So of a task that the dead worker signed for: (1) if it is not taken, the ring still has it; else (2) if
   * another has signed, it is with that one; else (3) if there is no result, it was the dead worker's.
   */
  workerEnded(worker: Worker, exitCode: number | null): void {
    const core = this.#core
    const claim = core.claim(worker.index)
    const number = (claim - 1) & COUNT_MASK
    const ahead = (core.tasks.taken - number) & COUNT_MASK
    core.finish(worker.index)
    const another = core.claimant(number)
    this.#drain(Infinity)
    const task = this.#dispatched.get(number)
    if (claim !== 0 && ahead > 0 && ahead <= MAX_AHEAD && another < 0 && task !== undefined) {
      this.#lost(task, worker, exitCode)
    }
    this.#pump()
  }

  #lost(task: Task, worker: Worker, exitCode: number | null): void {
    this.#dispatched.delete(task.number)
    if (task.retriesLeft > 0) {
      task.retriesLeft--
      task.number = -1
      this.#backlog.add(task)
      return
    }
    const error = new WorkerLostError(task.label, worker.process.pid, exitCode)
    this.#settle(task, { ok: false, error })
  }

  /** Fills the ring from the backlog. */
  #pump(): void {
    for (;;) {
      // First, for without tasks the pool may have ended.
      const task = this.#backlog.first((one) => this.#cleanUps.has(one))
      if (task === undefined || this.#core.tasks.size >= MAX_QUEUED - 1) return
      const { tasks } = this.#core
      const number = tasks.put
      this.#core.queue(number)
      let result: PutResult
      try {
        result = tasks.tryPut([encodeTask(task)])
      } catch (error) {
        // It can never fit; those behind it can.
        this.#settle(task, { ok: false, error })
        continue
      }
      if (result !== 'put') {
        setTimeout(() => this.#pump(), MEMORY_RECHECK_MS)
        return
      }
      this.#backlog.removeFirst()
      task.number = number
      this.#dispatched.set(number, task)
    }
  }

  /** Takes results as long as there are tasks; only then does a pool keep the process alive. */
  async #listen(): Promise<void> {
    if (this.#listening !== undefined) return
    const stop = (this.#listening = new AbortController())
    const { waiting } = this.#core.session
    try {
      while (this.pending > 0) {
        // Waits without taking: a result in a promise would be out of reach for a call that blocks this thread.
        await waiting.async(this.#core.results.polling(), Infinity, stop.signal)
        this.#drain(TURN)
      }
    } catch (error) {
      // Stopped: the last task was settled by other means than a result.
      if (error !== stop.signal.reason) throw error
    } finally {
      this.#listening = undefined
    }
    // Work may have come between the stop and now.
    if (this.pending > 0) void this.#listen()
  }

  #drain(most: number): void {
    for (let n = 0; n < most; n++) {
      const message = this.#core.results.tryTake()
      if (message === null) break
      this.#handle(decodeResult(message))
    }
    this.#pump()
  }

  #handle(result: ResultMessage): void {
    if (result.status === STATUS.ready) {
      this.#crew().markReady(result.number)
    } else if (result.status === STATUS.initializerError) {
      this.#onInitializerError(loads(result.payload))
    } else {
      const task = this.#dispatched.get(result.number)
      if (task === undefined) return
      this.#dispatched.delete(result.number)
      if (result.status !== STATUS.dropped) void this.#decode(task, result)
    }
  }

  async #decode(task: Task, { status, payload }: ResultMessage): Promise<void> {
    let value: unknown
    // What arrives the first time must be there the second time.
    const arrived: unknown[] = []
    try {
      value = collectRevived(arrived, () => loads(payload))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') {
        return this.#settle(task, { ok: false, error })
      }
      try {
        value = await loadsAsync(payload)
        arrived.length = 0
      } catch (failure) {
        return this.#settle(task, { ok: false, error: failure })
      }
    }
    this.#settle(task, status === STATUS.value ? { ok: true, value } : { ok: false, error: value })
  }

  #settle(task: Task, outcome: Outcome): void {
    const cleanUp = this.#cleanUps.get(task)
    if (cleanUp === undefined) return
    this.#cleanUps.delete(task)
    cleanUp()
    task.settle(outcome)
    if (this.pending > 0) return
    this.#listening?.abort()
    this.#onIdle()
  }

  /** Calls a task off when its signal aborts or its time is up. */
  #watch(task: Task): () => void {
    const { signal } = task
    const onAbort = (): void => this.#callOff(task, signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer = task.timeoutMs === Infinity ? undefined : this.#limit(task)
    return () => {
      signal?.removeEventListener('abort', onAbort)
      timer?.stop()
    }
  }

  /** The clock starts when a worker takes the task, so an expired timer may have to be set again. */
  #limit(task: Task): { stop: () => void } {
    let timer: NodeJS.Timeout
    const check = (): void => {
      const worker = task.number < 0 ? -1 : this.#core.claimant(task.number)
      const left = worker < 0 ? task.timeoutMs : task.timeoutMs - this.#core.runningMs(worker)
      if (left > 0) {
        timer = setTimeout(check, Math.min(left, 0x7fffffff))
      } else {
        this.#callOff(
          task,
          new TimeoutError(`${task.label} ran for more than ${task.timeoutMs} ms`),
        )
      }
    }
    timer = setTimeout(check, Math.min(task.timeoutMs, 0x7fffffff))
    return { stop: () => clearTimeout(timer) }
  }

  #callOff(task: Task, error: unknown): void {
    // One that is still in the backlog is passed over there, because it is settled.
    if (task.number >= 0 && !this.#core.cancel(task.number)) {
      const worker = this.#crew().workers.find(
        (one) => one !== undefined && this.#core.claim(one.index) === claimOf(task.number),
      )
      // Nobody has signed for it any more: its result is on the way and comes too late.
      if (worker !== undefined) this.#crew().stop(worker)
      this.#dispatched.delete(task.number)
    }
    this.#settle(task, { ok: false, error })
  }
}

const COUNT_MASK = 0x7fffffff
/** Numbers wrap; that of a living task is never so far behind. */
const MAX_AHEAD = 0x3fffffff
