/**
 * The workers of a pool: starts them, replaces them, stops them.
 *
 * How many there are to be follows from the pool's size and, where idle workers may go, from the tasks that there
 * are. A worker at the end of its term gets its successor before it goes (`succession.ts`).
 *
 * @module
 */
import { Process, type ProcessOptions, StartError, type StartMethod } from '@mp/process'
import { onExit } from '@mp/process/internal'
import { claimOf } from '@mp/shared-memory/internal'
import { PoolBrokenError } from './errors.js'
import { FailedStarts } from './failed-starts.js'
import { MAX_WORKERS, ORDER, PHASE, PLACES } from './layout.js'
import { workerName } from './pool-board.js'
import type { PoolCore } from './pool-core.js'
import { Succession } from './succession.js'
import { type WorkerSetup, runWorker } from './worker.js'

/** How workers are made. */
export interface CrewOptions {
  readonly size: number
  /** The fewest workers to keep when there is nothing to do; Infinity: all. */
  readonly least: number
  readonly idleMs: number
  readonly name: string
  readonly startMethod: StartMethod | undefined
  readonly launch: Pick<ProcessOptions<() => unknown>, 'env' | 'cwd' | 'execArgv' | 'stdio'>
  readonly setup: Omit<WorkerSetup, 'index'>
}

/** One worker. */
export interface Worker {
  readonly index: number
  readonly process: Process
  readonly startedAt: number
  /** It was told to end, or is being stopped: its end surprises nobody. */
  isLeaving: boolean
  /** It has had a task and settled it. */
  isProven: boolean
  /** Waits for this one to end. */
  successor: Worker | undefined
  /** Whom it is to replace; until then it waits. */
  predecessor: Worker | undefined
  /** When it is to be killed. */
  killAt: number
}

/** What the crew tells the pool. */
export interface CrewEvents {
  /** A worker has been started. */
  started(worker: Worker): void
  /**
   * A worker has ended, for whatever reason; its process is gone.
   *
   * @returns whether a task is to blame.
   */
  ended(worker: Worker, exitCode: number | null): boolean
  /** Workers cannot be started. */
  broken(error: PoolBrokenError): void
  /** How many tasks are not settled. */
  pending(): number
}

/** From asking a worker to end to killing it, in milliseconds. */
const GRACE_MS = 500
/** The same for a thread that is still loading. */
const LOADING_GRACE_MS = 5000
/** Until the system, which has refused to start another worker, is asked again. */
const START_AGAIN_MS = 250

export class Crew {
  readonly workers: (Worker | undefined)[] = []
  size: number
  readonly #core: PoolCore
  readonly #options: CrewOptions
  readonly #events: CrewEvents
  readonly #failures = new FailedStarts()
  readonly #succession: Succession
  #started = 0
  #isHeld = false
  #replacing = true
  #idleTimer: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined

  constructor(core: PoolCore, options: CrewOptions, events: CrewEvents) {
    this.#core = core
    this.#options = options
    this.#events = events
    this.size = options.size
    core.size = options.size
    this.#succession = new Succession({
      core,
      limit: () => Math.max(1, Math.floor(this.size / 2)),
      start: (predecessor) => this.#startSuccessor(predecessor),
    })
  }

  /** How many workers have not ended. */
  get alive(): number {
    let alive = 0
    for (const worker of this.workers) if (worker !== undefined) alive++
    return alive
  }

  /** Leaves it to `open`, or the first task, to start workers. */
  hold(): void {
    this.#isHeld = true
  }

  /** Starts the workers that have been held back. */
  open(): void {
    if (this.#isHeld) this.fill()
  }

  /** Starts as many workers as there are to be now. */
  fill(): void {
    if (!this.#replacing) return
    this.#isHeld = false
    try {
      for (let n = this.#active(); n < this.#wanted() && this.#hasRoom(); n++) this.#start()
    } catch (error) {
      this.#startFailed(error)
    }
    this.#succession.advance()
    this.#watchIdle()
  }

  #fillLater(delayMs: number): void {
    clearTimeout(this.#retry)
    // Only a pool that has work keeps the process alive, by its results.
    this.#retry = setTimeout(() => this.fill(), delayMs).unref()
  }

  /** What the system refuses for now (EAGAIN, ENOMEM), a pool that has other workers does with fewer until it is granted. */
  #startFailed(error: unknown): void {
    const canWait = error instanceof StartError && this.workers.some(isActive)
    if (canWait) this.#fillLater(START_AGAIN_MS)
    else this.#break(`A worker cannot be started: ${messageOf(error)}`, error)
  }

  /** Changes how many workers there are to be; those that are too many end after their task. */
  resize(size: number): void {
    this.size = size
    this.#core.size = size
    const active = this.workers.filter(isActive)
    // The idle ones first.
    active.sort(
      (a, b) => Number(this.#core.claim(a.index) !== 0) - Number(this.#core.claim(b.index) !== 0),
    )
    for (const worker of active.slice(0, Math.max(0, active.length - size))) this.#retire(worker)
    this.fill()
  }

  /** The worker has run its initializer. */
  markReady(index: number): void {
    this.#failures.reset()
    const worker = this.workers[index]
    if (worker !== undefined) this.#succession.ready(worker)
  }

  /** The worker has settled a task. */
  markProven(index: number): void {
    const worker = this.workers[index]
    if (worker === undefined || worker.isProven) return
    worker.isProven = true
    this.#failures.prove()
  }

  /** The worker's term ends soon. */
  markExpiring(index: number): void {
    this.#succeed(index, false)
  }

  /** The worker has passed its limit of memory, and waits for what to do. */
  markLarge(index: number): void {
    this.#succeed(index, true)
  }

  /** Lets workers that end be missed. */
  stopReplacing(): void {
    this.#replacing = false
    this.#succession.stop()
    clearInterval(this.#idleTimer)
    clearTimeout(this.#retry)
    // Who waits for another's end never will have work.
    for (const worker of this.workers) if (worker?.predecessor !== undefined) this.#retire(worker)
  }

  /** Asks a worker to end, and kills it if it does not. It is replaced like any other. */
  stop(worker: Worker): void {
    if (worker.killAt !== Infinity) return
    worker.isLeaving = true
    // A thread stopped while it loads modules leaves their files open (nodejs/node, 20). It ends by itself once it is
    // ready and finds its order.
    // SYNC: the order first, then the look: a worker that has not said by then that it begins finds the order when it does.
    this.#core.order(worker.index, ORDER.retire)
    const isLoading =
      worker.process.pid === process.pid && this.#core.phase(worker.index) === PHASE.starting
    if (!isLoading) worker.process.terminate()
    const graceMs = isLoading ? LOADING_GRACE_MS : GRACE_MS
    worker.killAt = performance.now() + graceMs
    setTimeout(() => worker.process.kill(), graceMs).unref()
  }

  /** Stops the worker of a task; one that has finished it meanwhile ends after what it has taken then, which is untouched. */
  stopTask(worker: Worker, number: number): void {
    if (worker.killAt !== Infinity) return
    this.#retire(worker)
    // SYNC: a worker clears its claim, then looks at its order, then takes. If it has this claim after we gave the order, it
    // takes nothing any more.
    if (this.#core.claim(worker.index) === claimOf(number)) this.stop(worker)
  }

  /** Does what this thread, which was blocked, has heard nothing of: notices the dead, kills those whose time is up. */
  checkAll(): void {
    const now = performance.now()
    for (const worker of this.workers) {
      if (worker === undefined) continue
      const exitCode = worker.process.joinSync({ timeout: 0 })
      if (exitCode !== null) this.#ended(worker, exitCode)
      else if (now >= worker.killAt) worker.process.kill()
    }
  }

  /** How many workers have come to take tasks, or will: not those that wait for another's end. */
  #active(): number {
    let active = 0
    for (const worker of this.workers) if (isActive(worker)) active++
    return active
  }

  #wanted(): number {
    return Math.min(this.size, Math.max(this.#options.least, this.#events.pending()))
  }

  #hasRoom(): boolean {
    return this.alive < MAX_WORKERS
  }

  #start(predecessor?: Worker): Worker {
    const { name, startMethod, launch, setup } = this.#options
    const index = this.#freePlace()
    const number = ++this.#started
    this.#core.reset(index, predecessor === undefined ? ORDER.work : ORDER.wait)
    const child: Process = new Process({
      target: runWorker,
      args: [this.#core, { ...setup, index }] as never,
      name: workerName(name, number),
      daemon: true,
      ...launch,
      ...(startMethod === undefined ? {} : { startMethod }),
    })
    const worker: Worker = {
      index,
      process: child,
      startedAt: this.#core.now(),
      isLeaving: false,
      isProven: false,
      successor: undefined,
      predecessor,
      killAt: Infinity,
    }
    child.start()
    this.workers[index] = worker
    onExit(child, () => this.#ended(worker, child.exitCode))
    this.#events.started(worker)
    this.#core.hire(index, number, child.pid)
    return worker
  }

  #freePlace(): number {
    for (let index = 0; index < PLACES; index++) {
      if (this.workers[index] === undefined) return index
    }
    throw new RangeError('A pool cannot have that many workers')
  }

  #succeed(index: number, isLarge: boolean): void {
    const worker = this.workers[index]
    if (worker === undefined || worker.isLeaving || !this.#replacing) return
    this.#succession.request(worker, isLarge)
  }

  #startSuccessor(predecessor: Worker): Worker | undefined {
    if (!this.#hasRoom()) return undefined
    try {
      return this.#start(predecessor)
    } catch (error) {
      this.#startFailed(error)
      return undefined
    }
  }

  #retire(worker: Worker): void {
    worker.isLeaving = true
    this.#core.order(worker.index, ORDER.retire)
  }

  #ended(worker: Worker, exitCode: number | null): void {
    if (this.workers[worker.index] !== worker) return
    const phase = this.#core.phase(worker.index)
    this.#core.dismiss(worker.index)
    // First the verdict on what it had taken, then others that sign in its place.
    const hasBlame = this.#events.ended(worker, exitCode)
    this.workers[worker.index] = undefined
    this.#succession.ended(worker)
    if (!this.#replacing) return
    if (!worker.isLeaving && !hasBlame) {
      if (this.workers.some((one) => one !== undefined && !one.isProven && this.#isReady(one))) {
        this.#failures.reset()
      }
      const reason = this.#failures.note(exitCode, {
        isInitializing: phase === PHASE.initializing && this.#hasInitializer,
        isReady: phase === PHASE.ready,
        isProven: worker.isProven,
      })
      if (reason !== undefined) return this.#break(reason, undefined)
      const { delayMs } = this.#failures
      if (delayMs > 0) return this.#fillLater(delayMs)
    }
    this.fill()
  }

  get #hasInitializer(): boolean {
    return this.#options.setup.initializer !== undefined
  }

  #isReady(worker: Worker): boolean {
    return this.#core.phase(worker.index) === PHASE.ready
  }

  #watchIdle(): void {
    const { idleMs } = this.#options
    if (idleMs === Infinity || this.#idleTimer !== undefined) return
    const period = Math.min(Math.max(idleMs / 4, 10), 0x7fffffff)
    this.#idleTimer = setInterval(() => {
      const active = this.workers.filter(isActive)
      let tooMany = active.length - this.#wanted()
      for (const worker of active) {
        if (tooMany <= 0) break
        if (!this.#isReady(worker) || this.#core.claim(worker.index) !== 0) continue
        if (this.#core.sinceMs(worker.index) < idleMs) continue
        this.#retire(worker)
        tooMany--
      }
    }, period).unref()
  }

  #break(message: string, cause: unknown): void {
    this.stopReplacing()
    this.#events.broken(new PoolBrokenError(message, cause))
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function isActive(worker: Worker | undefined): worker is Worker {
  return worker !== undefined && !worker.isLeaving && worker.predecessor === undefined
}
