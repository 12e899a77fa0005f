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
  PENDING,
  RING_SETS,
  RING_WORDS,
  SharedObject,
  type Taken,
  Spinning,
  WAIT_SET_WORDS,
  WaitSet,
  type Waitable,
  claimOf,
  toTicks,
} from '@mp/shared-memory/internal'
import { HIRED } from './origin.js'
import {
  MAX_QUEUED,
  ORDER,
  PHASE,
  PLACES,
  POOL,
  POOL_SETS,
  POOL_WORDS,
  TASK_STATE,
} from './layout.js'

/** What a worker gets in place of a task when it is to end. */
export const RETIRE: unique symbol = Symbol('retire')
export type Retire = typeof RETIRE

/** What a worker has taken: bytes of its own, or a long message that lies where it was. */
export type TaskMessage = Uint8Array | Taken

/** A worker, as those see it who have not started it. */
export interface HiredWorker {
  readonly place: number
  /** Counted from 1; part of its name. */
  readonly number: number
  readonly pid: number | undefined
}

/**
 * How long the two sides of a pool look for each other's messages before they sleep, where that pays. What the other one
 * does between a task and the next takes 10 µs, and somewhat more on a machine that is busy.
 */
const SPIN_MS = 0.05

export class PoolCore extends SharedObject {
  readonly #tasks: MessageRing
  readonly #results: MessageRing
  readonly #told: WaitSet
  readonly #spinning = new Spinning(SPIN_MS)

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
    this.#told = new WaitSet(this.session.agent, base + POOL.sets + 2 * RING_SETS * WAIT_SET_WORDS)
  }

  get tasks(): MessageRing {
    return this.use(this.#tasks)
  }

  get results(): MessageRing {
    return this.use(this.#results)
  }

  /** Now, on a clock that all processes share, in milliseconds. */
  now(): number {
    return this.session.agent.platform.now()
  }

  /** How many workers there are to be. */
  get size(): number {
    return this.#load(POOL.size, 0)
  }

  set size(size: number) {
    this.#store(POOL.size, 0, size)
  }

  /** The workers that are there, in the order in which they came. */
  crew(): HiredWorker[] {
    const all: HiredWorker[] = []
    for (let place = 0; place < PLACES; place++) {
      const number = this.#load(POOL.numbers, place)
      if (number === 0) continue
      const pid = this.#load(POOL.pids, place)
      // SYNC: pairs with `hire`: if the number is still the same, the process is its.
      if (this.#load(POOL.numbers, place) !== number) continue
      all.push({ place, number, pid: pid === 0 ? undefined : pid })
    }
    return all.toSorted((a, b) => a.number - b.number)
  }

  // What the pool does.

  /**
   * A place has a worker now.
   *
   * CRASH: the pool's death between the two writes leaves the place empty, and its workers end with it.
   */
  hire(worker: number, number: number, pid: number | undefined): void {
    this.#store(POOL.pids, worker, pid ?? 0)
    // SYNC: who reads the number, then the process, then the same number has seen those of one worker.
    this.#store(POOL.numbers, worker, number)
  }

  /** Nobody is there any more. */
  dismiss(worker: number): void {
    this.#store(POOL.numbers, worker, 0)
  }

  /** A place gets a worker that nobody has seen yet. */
  reset(worker: number, order: number): void {
    this.#store(POOL.claims, worker, 0)
    this.#store(POOL.told, worker, 0)
    this.#store(POOL.phases, worker, PHASE.starting)
    this.#store(POOL.orders, worker, order)
  }

  /** Tells a worker what to do from now on. */
  order(worker: number, order: number): void {
    this.#store(POOL.orders, worker, order)
    // SYNC: a worker arms its bit, then looks at its order; we store it, then wake who is armed.
    this.tasks.notEmpty.wakeAll()
  }

  /** Notes the next task as queued, before it is put. */
  queue(number: number): void {
    Atomics.store(this.session.words, this.#state(number), stateOf(number, TASK_STATE.queued))
  }

  /** Keeps a task in the ring from starting; false when a worker has started it. */
  cancel(number: number): boolean {
    return this.#leaveQueued(number, TASK_STATE.cancelled) === stateOf(number, TASK_STATE.queued)
  }

  /**
   * Whether a task is in the ring, or with a worker that has not started it.
   *
   * SYNC: a worker says since when it is at its task, then starts it (`start`): who sees it started sees since when.
   */
  isQueued(number: number): boolean {
    const state = Atomics.load(this.session.words, this.#state(number))
    return state === stateOf(number, TASK_STATE.queued)
  }

  /** Tells the worker that runs a task that nobody wants its result any more. */
  tell(worker: number, number: number): void {
    this.#store(POOL.told, worker, claimOf(number))
    // SYNC: who listens arms its bit, then looks; we store, then wake.
    this.#told.wakeAll()
  }

  phase(worker: number): number {
    return this.#load(POOL.phases, worker)
  }

  /** For how long the worker has been in its phase, at its task or idle, in milliseconds. */
  sinceMs(worker: number): number {
    return ((toTicks(this.now()) - this.#load(POOL.since, worker)) | 0) / toTicks(1)
  }

  /** The worker that signed for a task, or -1. */
  claimant(number: number): number {
    for (let worker = 0; worker < PLACES; worker++) {
      if (this.claim(worker) === claimOf(number)) return worker
    }
    return -1
  }

  /** What the worker has signed for: `claimOf` a number, or 0. */
  claim(worker: number): number {
    return this.#load(POOL.claims, worker)
  }

  // What a worker does.

  /** The word in which a worker signs for what it takes. */
  claimWord(worker: number): number {
    return this.use(this.handle).base + POOL.claims + worker
  }

  enter(worker: number, phase: number): void {
    this.#store(POOL.since, worker, toTicks(this.now()))
    this.#store(POOL.phases, worker, phase)
  }

  orderOf(worker: number): number {
    return this.#load(POOL.orders, worker)
  }

  /** A wait for a task, or for the order to end. For all waits of a worker: making it takes longer than one. */
  taking(worker: number): Waitable<TaskMessage | Retire> {
    const { set, available, attempt } = this.tasks.takingOrClaiming(this.claimWord(worker))
    return {
      set,
      available,
      spinning: this.#spinning,
      attempt: () => {
        const order = this.orderOf(worker)
        if (order === ORDER.retire) return RETIRE
        if (order === ORDER.wait) return this.tasks.closed ? RETIRE : PENDING
        return attempt()
      },
    }
  }

  /** A wait for a result, which is not taken. */
  polling(): Waitable<true> {
    const { set, available, attempt } = this.results.polling()
    return { set, available, attempt, spinning: this.#spinning }
  }

  /** A wait for another order than to work. */
  ordering(worker: number): Waitable<true> {
    return {
      set: this.tasks.notEmpty,
      attempt: () => (this.orderOf(worker) !== ORDER.work || this.tasks.closed ? true : PENDING),
      available: () => this.tasks.size !== 0,
    }
  }

  /**
   * Starts a task that the worker has taken; false when it was cancelled.
   *
   * @param now as `now()` says.
   */
  start(worker: number, number: number, now: number): boolean {
    this.#store(POOL.since, worker, toTicks(now))
    // If the word is that of a later task by now, this one was taken long before and cannot have been cancelled.
    return this.#leaveQueued(number, TASK_STATE.started) !== stateOf(number, TASK_STATE.cancelled)
  }

  /** The worker has put its result, or has nothing to put. */
  finish(worker: number, now: number): void {
    this.#store(POOL.since, worker, toTicks(now))
    this.#store(POOL.claims, worker, 0)
  }

  /** Whether the worker's task is called off. */
  isTold(worker: number): boolean {
    return this.#load(POOL.told, worker) === this.claim(worker)
  }

  /** Tells quickly, and perhaps a moment late, whether the task that the worker has now is called off. */
  toldLook(worker: number): () => boolean {
    const { words } = this.session
    const at = this.use(this.handle).base + POOL.told + worker
    const claim = this.claim(worker)
    // SYNC: a plain read, since nothing depends on it: who looks again sees it.
    return () => words[at] === claim
  }

  /** A wait until the worker's task is called off. */
  telling(worker: number): Waitable<true> {
    return {
      set: this.#told,
      attempt: () => (this.isTold(worker) ? true : PENDING),
      available: () => false,
    }
  }

  #load(table: number, worker: number): number {
    return Atomics.load(this.session.words, this.use(this.handle).base + table + worker)
  }

  #store(table: number, worker: number, value: number): void {
    Atomics.store(this.session.words, this.use(this.handle).base + table + worker, value)
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
    return { module: HIRED, name: 'PoolCore' }
  }
}

function stateOf(number: number, state: number): number {
  return (number << 2) | state
}
