/**
 * The protocol of the semaphores: a count that is derived from who holds what.
 *
 * The truth is the initial value, what each living agent holds, and a surplus of
 * permits that were released without having been taken. Each change is one store
 * under a leaf lock, and the value beside it is only a sum: whoever takes the
 * leaf lock from a dead agent adds it up again. Permits of the dead are found by
 * the first who finds no other.
 *
 * @module
 */
import {
  LeafLock,
  type ObjectShape,
  PENDING,
  type Pending,
  type Session,
  WaitSet,
} from '@mp/shared-memory/internal'
import type { Acquisition } from './acquire.js'
import { OverReleasedError } from './errors.js'
import { Gate } from './gate.js'
import { LEDGER_WORDS, Ledger } from './ledger.js'

/**
 * Words of a semaphore.
 *
 * | word     | name     | values                                                                        |
 * | -------- | -------- | ----------------------------------------------------------------------------- |
 * | 0        | leaf     | leaf lock over all but the gate and the waiters                               |
 * | 1–2      | gate     | see `GATE`                                                                    |
 * | 3        | initial  | the initial value; never changes                                              |
 * | 4        | surplus  | permits released by agents when nobody held any                               |
 * | 5        | value    | initial − Σ held + surplus, the dead's not yet returned; derived              |
 * | 16–31    | waiters  | wait set                                                                      |
 * | 32–47    | queue    | see `Gate`                                                                    |
 * | 48–63    | leafSet  | wait set of the leaf lock                                                     |
 * | 64–575   | arrivals | since when each agent waits                                                   |
 * | 576–1599 | held     | ledger of the permits that each agent took; those of the surplus are nobody's |
 */
export const SEMAPHORE = {
  leaf: 0,
  gate: 1,
  initial: 3,
  surplus: 4,
  value: 5,
  waiters: 16,
  queue: 32,
  leafSet: 48,
  arrivals: 64,
  held: 576,
} as const

/** The highest value, as in Python. */
export const MAX_PERMITS = 0x7fffffff

export function semaphoreShape(): Omit<ObjectShape, 'type'> {
  return { words: SEMAPHORE.held + LEDGER_WORDS, sets: SEMAPHORE.waiters, setCount: 3 }
}

export class SemaphoreCore implements Acquisition {
  readonly set: WaitSet
  readonly #words: Int32Array
  readonly #base: number
  readonly #value: number
  readonly #surplus: number
  readonly #gate: Gate
  readonly #held: Ledger
  readonly #leaf: LeafLock

  /** @param base first word of the semaphore. */
  constructor(session: Session, base: number) {
    const { agent, waiting, words } = session
    this.#words = words
    this.#base = base
    this.#value = base + SEMAPHORE.value
    this.#surplus = base + SEMAPHORE.surplus
    const arrivals = base + SEMAPHORE.arrivals
    const queue = base + SEMAPHORE.queue
    this.set = new WaitSet(agent, base + SEMAPHORE.waiters, arrivals, queue)
    this.#gate = new Gate(session, base + SEMAPHORE.gate, this.set, queue, arrivals)
    this.#held = new Ledger(session, base + SEMAPHORE.held)
    this.#leaf = new LeafLock(agent, waiting, base + SEMAPHORE.leaf, base + SEMAPHORE.leafSet, () =>
      this.#derive(),
    )
  }

  get initial(): number {
    return Atomics.load(this.#words, this.#base + SEMAPHORE.initial)
  }

  /** How many permits there are, those of the dead included. */
  value(): number {
    this.#leaf.lock()
    const surplus = Atomics.load(this.#words, this.#surplus)
    const value = Math.min(this.initial - this.#held.livingTotal() + surplus, MAX_PERMITS)
    this.#leaf.unlock()
    return value
  }

  tryTake(): number {
    const taken = this.attempt()
    return taken === PENDING ? -1 : taken
  }

  /** Takes a permit if there is one; gives the tag of a dead holder whose permits came back for that, or 0. */
  attempt(): number | Pending {
    const words = this.#words
    const gate = this.#gate.owner()
    if (gate !== 0 && this.#gate.bars(gate)) return PENDING
    this.#leaf.lock()
    let value = Atomics.load(words, this.#value)
    let dead = 0
    if (value <= 0 || !this.#held.signed) {
      dead = this.#held.settle()
      value = this.#derive()
    }
    if (value > 0) {
      const surplus = Atomics.load(words, this.#surplus)
      // CRASH: one store takes the permit; without the next one `value` is too high, until the leaf lock is taken over.
      if (surplus > 0) Atomics.store(words, this.#surplus, surplus - 1)
      else this.#held.setOwn(this.#held.own() + 1)
      Atomics.store(words, this.#value, value - 1)
    }
    this.#leaf.unlock()
    if (value <= 0) return PENDING
    this.#gate.open(gate)
    // Others may have been woken for what is left, and kept out by the gate.
    if (value > 1 && this.#gate.isAwaited()) this.#gate.wakeNext()
    return dead
  }

  /**
   * Gives `count` permits back: this agent's own first, then other agents', then as a surplus.
   *
   * CRASH: some of several permits may have been given back; those that the dead held come back too.
   *
   * @param bounded whether the value must stay within the initial one.
   */
  release(count: number, bounded: boolean): void {
    const words = this.#words
    this.#leaf.lock()
    const value = Atomics.load(words, this.#value)
    const own = this.#held.own()
    const isAllowed =
      bounded && own < count ? count <= this.#held.livingTotal() : value + count <= MAX_PERMITS
    if (isAllowed) {
      const mine = Math.min(own, count)
      if (mine > 0) this.#held.setOwn(own - mine)
      if (mine < count) this.#releaseOthers(count - mine)
      Atomics.store(words, this.#value, value + count)
    }
    this.#leaf.unlock()
    if (!isAllowed) throw tooMany(count, bounded)
    for (let woken = 0; woken < count && this.#gate.isAwaited(); woken++) this.#gate.wakeNext()
  }

  available(): boolean {
    return Atomics.load(this.#words, this.#value) > 0
  }

  recheckMs(): number {
    return this.#gate.recheckMs()
  }

  abandon(): void {
    this.#gate.leave()
  }

  settle(): void {
    this.#gate.settle()
  }

  #releaseOthers(count: number): void {
    const surplus = count - this.#held.takeFromOthers(count)
    if (surplus > 0) Atomics.add(this.#words, this.#surplus, surplus)
  }

  /** Adds up what `value` caches. */
  #derive(): number {
    const words = this.#words
    const surplus = Atomics.load(words, this.#surplus)
    // What the dead held may come back on top of a surplus that was already the most there may be.
    const value = Math.min(this.initial - this.#held.total() + surplus, MAX_PERMITS)
    Atomics.store(words, this.#value, value)
    return value
  }
}

function tooMany(count: number, bounded: boolean): OverReleasedError {
  return new OverReleasedError(
    bounded
      ? `Releasing ${count} would raise this BoundedSemaphore above its initial value; nothing was released`
      : `Releasing ${count} would raise this Semaphore above ${MAX_PERMITS}; nothing was released`,
  )
}
