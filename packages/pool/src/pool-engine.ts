/**
 * What is behind a pool, from its first worker to the end of its last.
 *
 * @module
 */
import { prepareStart } from '@mp/process/internal'
import { MultiprocessingError, TimeoutError } from '@mp/shared-memory/internal'
import { Door } from './client/door.js'
import type { PoolHandle } from './client/pool-client.js'
import { Crew, type Worker } from './crew.js'
import { Dispatcher } from './dispatcher.js'
import { PoolBrokenError, PoolClosedError, PoolTerminatedError } from './errors.js'
import { SentFunctions } from './functions.js'
import { PHASE } from './layout.js'
import type { CheckedPoolOptions } from './options.js'
import { PoolCore } from './pool-core.js'
import { COUNT } from './pool-board.js'
import { PoolRecord } from './pool-record.js'
import type { PoolProcess, PoolStats } from './pool-stats.js'
import { Room } from './room.js'
import { SharedArguments } from './shared-arguments.js'
import { Submitter } from './submitter.js'

export class PoolEngine {
  readonly core: PoolCore
  readonly crew: Crew
  readonly dispatcher: Dispatcher
  readonly submitter: Submitter
  readonly record: PoolRecord
  readonly shared: SharedArguments
  readonly room: Room
  /** Resolves when all workers have ended. */
  readonly ends: Promise<void>
  readonly #options: CheckedPoolOptions
  readonly #functions: SentFunctions
  #allEnded: () => void = () => {}
  #state: 'open' | 'closed' | 'terminated' = 'open'
  #broken: { error: unknown } | undefined
  #hasEnded = false
  #door: Door | undefined
  #initializerTimer: NodeJS.Timeout | undefined

  constructor(options: CheckedPoolOptions) {
    this.#options = options
    // A fork server loads its modules while all else is made.
    const isHeld = this.#mayHold() && prepareStart(options.startMethod, this.#open)
    const core = new PoolCore()
    this.core = core
    this.#functions = new SentFunctions(core.session)
    this.shared = new SharedArguments(core.session)
    this.record = new PoolRecord(options.name, () => this.room.changed())
    this.record.board.counts[COUNT.maxQueued] = options.maxQueued
    this.ends = new Promise((resolve) => (this.#allEnded = resolve))
    this.dispatcher = new Dispatcher(
      {
        core,
        functions: this.#functions,
        record: this.record,
        graceMs: options.graceMs,
        crew: () => this.crew,
      },
      {
        initializerFailed: (error) => this.#break(error),
        idle: () => this.#finish(),
        corrupt: (error) => this.#break(error),
      },
    )
    this.crew = this.#makeCrew()
    this.room = new Room(
      options.maxQueued,
      () => this.dispatcher.pending - this.crew.size,
      (isSettled) => this.dispatcher.waitSync(isSettled),
    )
    this.submitter = new Submitter({
      dispatcher: this.dispatcher,
      functions: this.#functions,
      shared: this.shared,
      record: this.record,
      size: () => this.crew.size,
      checkOpen: () => this.checkOpen(),
      checkRoom: () => this.room.check(),
    })
    if (isHeld) this.crew.hold()
    else this.crew.fill()
    this.#assertStarted()
    this.#watchInitializers()
  }

  /**
   * Whether workers may be started later than by the constructor, where they would have to wait for a fork server: when that
   * has loaded its modules, or with the first task, which is encoded meanwhile. Whoever gives a task may block this thread
   * until a worker has done something, so no task is given before there are workers.
   *
   * Not where the constructor may have to say that they cannot be started so.
   */
  #mayHold(): boolean {
    const { initializer, launch } = this.#options
    return initializer === undefined && Object.values(launch).every((each) => each === undefined)
  }

  /** From the event loop. */
  readonly #open = (): void => {
    // The constructor may have thrown.
    const crew: Crew | undefined = this.crew
    crew?.open()
  }

  /** What the first worker cannot be started with is the caller's, who need not wait for a task to hear of it. */
  #assertStarted(): void {
    if (this.#broken === undefined) return
    const { error } = this.#broken
    this.terminate()
    throw error instanceof PoolBrokenError ? error.cause : error
  }

  /** What clients in other processes knock at; there from the first time that the pool is sent. */
  get door(): Door {
    this.#door ??= new Door({
      dispatcher: this.dispatcher,
      functions: this.#functions,
      checkOpen: () => this.checkOpen(),
      checkRoom: () => this.room.check(),
      resize: (processes) => {
        if (this.#state === 'open') this.crew.resize(processes)
      },
    })
    if (this.#state === 'terminated' || this.#hasEnded) this.#door.close()
    return this.#door
  }

  /** What a client is made of. */
  get handle(): PoolHandle {
    // Others see the workers that there are.
    this.crew.open()
    const { door, core, record } = this
    const handle = [
      door.line,
      core.session.agent.tag,
      this.#options.name,
      record.board.shared,
    ] as const
    return this.#hasEnded ? handle : [...handle, core]
  }

  get processes(): PoolProcess[] {
    this.crew.open()
    return this.crew.workers
      .filter((worker) => worker !== undefined)
      .map(({ process }) => ({ pid: process.pid, name: process.name, exitCode: process.exitCode }))
  }

  stats(): PoolStats {
    return this.record.board.stats(this.#hasEnded ? undefined : this.core, this.#options.name)
  }

  resize(processes: number): void {
    this.crew.resize(processes)
  }

  checkOpen(): void {
    if (this.#broken !== undefined) throw this.#broken.error
    if (this.#state !== 'open') throw new PoolClosedError()
  }

  checkEnding(): void {
    if (this.#state !== 'open') return
    throw new MultiprocessingError(
      'ERR_MP_POOL_RUNNING',
      'The pool runs still: call close() or terminate() first',
    )
  }

  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    if (this.dispatcher.pending === 0) this.#finish()
  }

  terminate(): void {
    if (this.#state === 'terminated') return
    this.#state = 'terminated'
    this.#stopWorkers()
    this.dispatcher.rejectAll(new PoolTerminatedError())
    this.#door?.close()
    this.#checkEnd()
  }

  #makeCrew(): Crew {
    const { processes, least, idleMs, name, startMethod, launch } = this.#options
    const { initializer, initArgs, maxTasks, maxMemory } = this.#options
    return new Crew(
      this.core,
      {
        size: processes,
        least,
        idleMs,
        name,
        startMethod,
        launch,
        setup: { initializer, initArgs, maxTasks, maxMemory },
      },
      {
        started: (worker) => this.record.workerStarted(worker),
        ended: (worker, exitCode) => this.#workerEnded(worker, exitCode),
        broken: (error) => this.#break(error),
        pending: () => this.dispatcher.pending,
      },
    )
  }

  #workerEnded(worker: Worker, exitCode: number | null): boolean {
    const hasBlame = this.dispatcher.workerEnded(worker, exitCode)
    this.record.workerEnded(worker)
    this.#checkEnd()
    return hasBlame
  }

  /** Initializers that do not end keep every task waiting. */
  #watchInitializers(): void {
    const { initializer, initializerTimeoutMs } = this.#options
    if (initializer === undefined || initializerTimeoutMs === Infinity) return
    const period = Math.min(Math.max(initializerTimeoutMs / 4, 10), 1000)
    this.#initializerTimer = setInterval(() => {
      for (const worker of this.crew.workers) {
        if (worker === undefined || this.core.phase(worker.index) !== PHASE.initializing) continue
        if (this.core.sinceMs(worker.index) < initializerTimeoutMs) continue
        const message = `The initializer ran for more than ${initializerTimeoutMs} ms`
        return this.#break(new TimeoutError(message))
      }
    }, period).unref()
  }

  /** Workers cannot work: no task ever will. */
  #break(error: unknown): void {
    this.#broken ??= { error }
    this.#stopWorkers()
    this.dispatcher.rejectAll(this.#broken.error)
    this.#checkEnd()
  }

  #stopWorkers(): void {
    if (this.#hasEnded) return
    this.crew.stopReplacing()
    this.core.tasks.close()
    for (const worker of this.crew.workers) if (worker !== undefined) this.crew.stop(worker)
  }

  /** The last task is settled: a closed pool's workers may go. */
  #finish(): void {
    if (this.#state !== 'closed' || this.#hasEnded) return
    this.crew.stopReplacing()
    this.core.tasks.close()
    this.#checkEnd()
  }

  #checkEnd(): void {
    // Later: the dispatcher may be in the middle of a look at what ends with it.
    queueMicrotask(() => {
      if (this.#state === 'open' || this.#hasEnded || this.crew.alive > 0) return
      if (this.dispatcher.pending > 0) return
      this.#hasEnded = true
      clearInterval(this.#initializerTimer)
      this.#functions.clear()
      this.shared.clear()
      this.record.trace.end()
      this.#door?.close()
      this.core.close()
      this.#allEnded()
    })
  }
}
