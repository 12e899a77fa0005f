/**
 * What a pool and its workers share: a ring of tasks, a ring of results, and who has taken what.
 *
 * A worker signs for a task before it takes it, and clears that after its result
 * is committed. So when it dies, the pool can tell which task died with it: the
 * one it signed for, if that was really taken and has no result.
 *
 * @module
 */
import {
  type Attachment,
  MessageRing,
  OBJECT_TYPE,
  type Origin,
  RING_SETS,
  RING_WORDS,
  SharedObject,
  WAIT_SET_WORDS,
  claimOf,
  toTicks,
} from '@mp/shared-memory/internal'
import { MAX_QUEUED, MAX_WORKERS, POOL, POOL_SETS, POOL_WORDS, TASK_STATE } from './layout.js'

export class PoolCore extends SharedObject {
  readonly #tasks: MessageRing
  readonly #results: MessageRing

  constructor(attachment?: Attachment) {
    super(
      attachment,
      { type: OBJECT_TYPE.pool, words: POOL_WORDS, sets: POOL.sets, setCount: POOL_SETS },
      () => {},
    )
    const { base, index } = this.handle
    const ring = (n: number): MessageRing =>
      new MessageRing(
        this.session,
        base + POOL.rings + n * RING_WORDS,
        base + POOL.sets + n * RING_SETS * WAIT_SET_WORDS,
        index,
      )
    this.#tasks = ring(0)
    this.#results = ring(1)
  }

  get tasks(): MessageRing {
    return this.use(this.#tasks)
  }

  get results(): MessageRing {
    return this.use(this.#results)
  }

  /** The word in which a worker signs for what it takes. */
  claimWord(worker: number): number {
    return this.use(this.handle).base + POOL.claims + worker
  }

  /** Notes the next task as queued, before it is put. */
  queue(number: number): void {
    Atomics.store(this.session.words, this.#state(number), stateOf(number, TASK_STATE.queued))
  }

  /** Keeps a task in the ring from starting; false when a worker has started it. */
  cancel(number: number): boolean {
    return this.#leaveQueued(number, TASK_STATE.cancelled) === stateOf(number, TASK_STATE.queued)
  }

  /** Starts a task that the worker has taken; false when it was cancelled. */
  start(worker: number, number: number): boolean {
    const { words, agent } = this.session
    Atomics.store(
      words,
      this.use(this.handle).base + POOL.started + worker,
      toTicks(agent.platform.now()),
    )
    // If the word is that of a later task by now, this one was taken long before and cannot have been cancelled.
    return this.#leaveQueued(number, TASK_STATE.started) !== stateOf(number, TASK_STATE.cancelled)
  }

  /** The worker has put its result, or has nothing to put. */
  finish(worker: number): void {
    Atomics.store(this.session.words, this.claimWord(worker), 0)
  }

  /** For how long the worker has been at its task, in milliseconds. */
  runningMs(worker: number): number {
    const { words, agent } = this.session
    const since = Atomics.load(words, this.use(this.handle).base + POOL.started + worker)
    return ((toTicks(agent.platform.now()) - since) | 0) / toTicks(1)
  }

  /** The worker that signed for a task, or -1. */
  claimant(number: number): number {
    const { words } = this.session
    for (let worker = 0; worker < MAX_WORKERS; worker++) {
      if (Atomics.load(words, this.claimWord(worker)) === claimOf(number)) return worker
    }
    return -1
  }

  /** What the worker has signed for: `claimOf` a number, or 0. */
  claim(worker: number): number {
    return Atomics.load(this.session.words, this.claimWord(worker))
  }

  #leaveQueued(number: number, state: number): number {
    const queued = stateOf(number, TASK_STATE.queued)
    const next = stateOf(number, state)
    return Atomics.compareExchange(this.session.words, this.#state(number), queued, next)
  }

  #state(number: number): number {
    return this.use(this.handle).base + POOL.states + (number % MAX_QUEUED)
  }

  /** @internal */
  protected origin(): Origin {
    return { module: import.meta.url, name: 'PoolCore' }
  }
}

function stateOf(number: number, state: number): number {
  return (number << 2) | state
}
