/**
 * The workers of a pool: starts them, replaces them, stops them.
 *
 * @module
 */
import { Process, type StartMethod } from '@mp/process'
import { onExit } from '@mp/process/internal'
import { PoolBrokenError } from './errors.js'
import type { PoolCore } from './pool-core.js'
import { type WorkerSetup, runWorker } from './worker.js'

/** How workers are made. */
export interface CrewOptions {
  readonly size: number
  readonly name: string
  readonly startMethod: StartMethod | undefined
  readonly setup: Omit<WorkerSetup, 'index'>
}

/** One worker. */
export interface Worker {
  readonly index: number
  readonly process: Process
  /** It has run its initializer. */
  ready: boolean
}

/** What the crew tells the pool. */
export interface CrewEvents {
  /** A worker has ended, for whatever reason; its process is gone. */
  ended(worker: Worker, exitCode: number | null): void
  /** Workers cannot be started. */
  broken(error: PoolBrokenError): void
}

/** So many workers in a row may die before they are ready. */
const MAX_FAILED_STARTS = 3
/** From asking a worker to end to killing it, in milliseconds. */
const GRACE_MS = 500
/** The same for a thread that is still loading. */
const LOADING_GRACE_MS = 5000

export class Crew {
  readonly workers: (Worker | undefined)[]
  readonly #core: PoolCore
  readonly #options: CrewOptions
  readonly #events: CrewEvents
  #failedStarts = 0
  #started = 0
  #replacing = true

  constructor(core: PoolCore, options: CrewOptions, events: CrewEvents) {
    this.#core = core
    this.#options = options
    this.#events = events
    this.workers = Array.from({ length: options.size }, () => undefined)
  }

  startAll(): void {
    for (let index = 0; index < this.#options.size; index++) this.#start(index)
  }

  /** How many workers have not ended. */
  get alive(): number {
    return this.workers.filter((worker) => worker !== undefined).length
  }

  /** The worker has run its initializer. */
  markReady(index: number): void {
    const worker = this.workers[index]
    if (worker !== undefined) worker.ready = true
    this.#failedStarts = 0
  }

  /** Lets workers that end be missed. */
  stopReplacing(): void {
    this.#replacing = false
  }

  /** Asks a worker to end, and kills it if it does not. It is replaced like any other. */
  stop(worker: Worker): void {
    // A thread stopped while it loads modules leaves their files open (nodejs/node, 20). It ends by itself once it is
    // ready and finds the ring of tasks closed.
    const isLoading = worker.process.pid === process.pid && !worker.ready
    if (!isLoading) worker.process.terminate()
    setTimeout(() => worker.process.kill(), isLoading ? LOADING_GRACE_MS : GRACE_MS).unref()
  }

  /** Notices the workers that have ended though this thread was blocked and has heard of nothing. */
  checkAll(): void {
    for (const worker of this.workers) {
      const exitCode = worker?.process.joinSync({ timeout: 0 }) ?? null
      if (worker !== undefined && exitCode !== null) this.#ended(worker, exitCode)
    }
  }

  #start(index: number): void {
    const { name, startMethod, setup } = this.#options
    const child: Process = new Process({
      target: runWorker,
      args: [this.#core, { ...setup, index }] as never,
      name: `${name}-${++this.#started}`,
      daemon: true,
      ...(startMethod === undefined ? {} : { startMethod }),
    })
    const worker: Worker = { index, process: child, ready: false }
    child.start()
    this.workers[index] = worker
    onExit(child, () => this.#ended(worker, child.exitCode))
  }

  #ended(worker: Worker, exitCode: number | null): void {
    if (this.workers[worker.index] !== worker) return
    this.workers[worker.index] = undefined
    // First the verdict on what it had taken, then a successor that signs in its place.
    this.#events.ended(worker, exitCode)
    if (!this.#replacing) return
    if (!worker.ready && ++this.#failedStarts >= MAX_FAILED_STARTS) {
      return this.#break(
        `${this.#failedStarts} workers in a row ended before they were ready, the last with exit code ${exitCode}`,
        undefined,
      )
    }
    try {
      this.#start(worker.index)
    } catch (error) {
      this.#break('A worker cannot be started', error)
    }
  }

  #break(message: string, cause: unknown): void {
    this.#replacing = false
    this.#events.broken(new PoolBrokenError(message, cause))
  }
}
