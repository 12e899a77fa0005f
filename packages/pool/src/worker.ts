/**
 * What runs in a worker of a pool.
 *
 * Takes tasks as long as there are any, without returning to the event loop for
 * each, but often enough for timers and for what asynchronous functions left
 * running. When there are none it blocks for a moment, because the next one often
 * comes at once and a sleeping event loop takes longer to wake; then it waits as
 * everybody does.
 *
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import { allowChildren } from '@mp/process/own'
import {
  PENDING,
  type Reduced,
  RingClosedError,
  type Waitable,
  reduceSymbol,
} from '@mp/shared-memory/internal'
import { ORDER, PHASE } from './layout.js'
import { STATUS } from './messages.js'
import { HIRED } from './origin.js'
import { type PoolCore, RETIRE, type Retire, type TaskMessage } from './pool-core.js'
import { Reporter } from './reporter.js'
import { TaskRunner } from './task-runner.js'

/** What a worker is told when it starts. */
export interface WorkerSetup {
  readonly index: number
  readonly initializer: ((...args: never[]) => unknown) | undefined
  readonly initArgs: readonly unknown[]
  /** How many tasks it runs before it ends and is replaced. */
  readonly maxTasks: number
  /** How many bytes of memory it may have (resident) before it is replaced. */
  readonly maxMemory: number
}

/** For how long a worker may run synchronous tasks before its event loop gets a turn, in milliseconds. */
const TURN_MS = 10
/** For how long a worker blocks its event loop while it has nothing to do. */
const BLOCK_MS = 2
/** After so many tasks of which it waited for none, a worker that finds no more takes a nap instead of waiting. */
const STREAK = 64
/** For how long, in milliseconds; the system makes it about twice as much. */
const NAP_MS = 0.05
/** A nap has paid when so many tasks have come meanwhile. */
const NAP_PAYS = 4
/** How long what stands in the event loop of a worker that ends has to finish. */
const LINGER_MS = 500
/** Reading the size of the memory takes as long as ten small tasks. */
const MEMORY_CHECK_MS = 20
/** When so much of its term is over, a worker gets its successor. */
const EXPIRING = 0.75

/** The target of a worker's process. */
export async function runWorker(core: PoolCore, setup: WorkerSetup): Promise<void> {
  // The pool ends its workers, and their children end with them.
  allowChildren()
  if (await work(core, setup)) setTimeout(() => process.exit(), LINGER_MS).unref()
}

/** Takes tasks until there are none for it any more; false when it could not begin. */
export async function work(core: PoolCore, setup: WorkerSetup): Promise<boolean> {
  const { index, initializer, initArgs } = setup
  const reporter = new Reporter(core, index)
  core.enter(index, PHASE.initializing)
  // SYNC: whoever stops a thread that loads gives the order, then looks at the phase, and leaves the rest to us.
  if (core.orderOf(index) === ORDER.retire) return false
  try {
    await initializer?.(...(initArgs as never[]))
  } catch (error) {
    await reporter.report(index, STATUS.initializerError, error)
    return false
  }
  core.enter(index, PHASE.ready)
  await reporter.report(index, STATUS.ready, undefined)
  await new WorkerLoop(core, setup, reporter).run()
  return true
}

// Found by its name: to look at a function takes longer than all else that starts a worker.
Object.defineProperty(runWorker, reduceSymbol, {
  value: (): Reduced => ({ module: HIRED, name: 'workerProgram', args: [] }),
})

class WorkerLoop {
  readonly #core: PoolCore
  readonly #setup: WorkerSetup
  readonly #reporter: Reporter
  readonly #runner: TaskRunner
  readonly #taking: Waitable<TaskMessage | Retire>
  readonly #expiresAt: number
  #checkedAt = 0

  constructor(core: PoolCore, setup: WorkerSetup, reporter: Reporter) {
    this.#core = core
    this.#setup = setup
    this.#reporter = reporter
    this.#runner = new TaskRunner(core, setup.index, reporter)
    this.#taking = core.taking(setup.index)
    this.#expiresAt = Math.ceil(setup.maxTasks * EXPIRING) - 1
  }

  /** Runs tasks until there will be none, or it is told to end. */
  async run(): Promise<void> {
    const core = this.#core
    const { index, maxTasks, maxMemory } = this.#setup
    const claim = core.claimWord(index)
    const { tasks } = core
    let turnEnds = core.now() + TURN_MS
    let streak = 0
    for (let done = 0; done < maxTasks; done++) {
      if (maxMemory !== Infinity && done > 0) await this.#watchMemory()
      let message: TaskMessage | Retire | null = this.#isToWork()
        ? tasks.tryTakeOrClaim(claim)
        : null
      if (message === null && streak >= STREAK) {
        streak = this.#nap() ? STREAK : 0
        message = this.#isToWork() ? tasks.tryTakeOrClaim(claim) : null
      }
      if (message === null) {
        streak = 0
        message = this.#nextSoon() ?? (await this.#next())
      }
      streak++
      if (message === RETIRE) return
      if (done === this.#expiresAt) {
        await this.#reporter.report(index, STATUS.expiring, undefined)
      }
      const running = this.#runner.run(message)
      if (running !== undefined) await running
      const now = core.now()
      core.finish(index, now)
      if (now > turnEnds) {
        await setImmediate()
        turnEnds = core.now() + TURN_MS
      }
    }
  }

  #isToWork(): boolean {
    return this.#core.orderOf(this.#setup.index) % ORDER.goOn === ORDER.work
  }

  /**
   * Lets tasks come together. Where they come one by one and are taken faster than they come, a worker that waited would
   * have to be woken for each, which takes the pool longer than the task itself.
   *
   * SYNC: whoever naps is in no set: nobody wakes it, and it looks again by itself.
   *
   * @returns whether it has paid.
   */
  #nap(): boolean {
    this.#core.session.agent.nap(NAP_MS)
    return this.#core.tasks.size >= NAP_PAYS
  }

  /** Blocks for a moment. */
  #nextSoon(): TaskMessage | Retire | null {
    const core = this.#core
    const { waiting } = core.session
    try {
      const message = waiting.block(this.#taking, core.now() + BLOCK_MS)
      return message === PENDING ? null : message
    } catch (error) {
      if (error instanceof RingClosedError) return RETIRE
      throw error
    }
  }

  async #next(): Promise<TaskMessage | Retire> {
    const core = this.#core
    try {
      const message = await core.session.waiting.async(this.#taking, Infinity)
      return message as TaskMessage | Retire
    } catch (error) {
      if (error instanceof RingClosedError) return RETIRE
      throw error
    }
  }

  /** With too much memory, says so and waits until its successor is there or it is told to go on. */
  async #watchMemory(): Promise<void> {
    const core = this.#core
    const { index, maxMemory } = this.#setup
    const now = core.now()
    if (now - this.#checkedAt < MEMORY_CHECK_MS || core.orderOf(index) !== ORDER.work) return
    this.#checkedAt = now
    if (ownMemory() <= maxMemory) return
    await this.#reporter.report(index, STATUS.large, undefined)
    const { waiting } = core.session
    const order = core.ordering(index)
    if (waiting.block(order, core.now() + BLOCK_MS) === PENDING)
      await waiting.async(order, Infinity)
  }
}

/** Bytes that would be free if this worker ended: of a thread, those of its heap and its buffers, since the rest is of the whole process. */
function ownMemory(): number {
  if (isMainThread) return process.memoryUsage.rss()
  // What is `external` besides has shared memory in it, on Node 20 all that there could be.
  const { heapTotal, arrayBuffers } = process.memoryUsage()
  return heapTotal + arrayBuffers
}
