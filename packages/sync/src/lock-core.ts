/**
 * The protocol of `Lock` and `RLock`: one word, a gate for those who wait long, a wait set.
 *
 * Taking a free lock that nobody waits for is one CAS, and so is releasing it: a
 * bit of the word says whether whoever frees it has to look for waiters. A dead holder's lock is free, and whoever takes it learns of
 * the death. After Drepper, "Futexes Are Tricky"; `gate.ts` has the fairness.
 *
 * @module
 */
import {
  ARRIVAL_WORDS,
  type ObjectShape,
  PENDING,
  type Pending,
  type Session,
  WaitSet,
  isDead,
} from '@mp/shared-memory/internal'
import type { Acquisition } from './acquire.js'
import { Gate } from './gate.js'

/**
 * Words of a lock.
 *
 * | word   | name     | values                                                                               |
 * | ------ | -------- | ------------------------------------------------------------------------------------ |
 * | 0      | owner    | bits 0–30: 0 free · tag of the agent that took it. A dead agent's tag: free, and its last holder died. Bit 31: `AWAITED` |
 * | 1–2    | gate     | see `GATE`                                                                           |
 * | 3      | depth    | how often an `RLock`'s owner has taken it; only the owner writes it                   |
 * | 4      | thefts   | grows before the lock is taken from a dead holder                                     |
 * | 16–31  | waiters  | wait set                                                                             |
 * | 32–47  | queue    | see `Gate`                                                                           |
 * | 64–575 | arrivals | since when each agent waits                                                          |
 */
export const LOCK = {
  owner: 0,
  gate: 1,
  depth: 3,
  thefts: 4,
  waiters: 16,
  queue: 32,
  arrivals: 64,
} as const

/**
 * Set in the owner word by whoever finds the lock taken, or may not take it. While it is set, whoever frees the lock
 * looks who waits; when nobody does, it is cleared. So it is set whenever somebody sleeps for the lock whose turn
 * nobody else knows of.
 */
const AWAITED = 1 << 31
const OWNER = ~AWAITED

/** The shape of a lock. */
export function lockShape(type: number): ObjectShape {
  return { type, words: LOCK.arrivals + ARRIVAL_WORDS, sets: LOCK.waiters, setCount: 2 }
}

export class LockCore implements Acquisition {
  readonly set: WaitSet
  protected readonly words: Int32Array
  protected readonly tag: number
  readonly #base: number
  readonly #owner: number
  readonly #gate: Gate

  /** @param base first word of the lock. */
  constructor(session: Session, base: number) {
    this.words = session.words
    this.tag = session.agent.tag
    this.#base = base
    this.#owner = base + LOCK.owner
    const arrivals = base + LOCK.arrivals
    const queue = base + LOCK.queue
    this.set = new WaitSet(session.agent, base + LOCK.waiters, arrivals, queue)
    this.#gate = new Gate(session, base + LOCK.gate, this.set, queue, arrivals)
  }

  tryTake(): number {
    // While anybody has right of way the word is not 0, but for a moment.
    if (Atomics.compareExchange(this.words, this.#owner, 0, this.tag) === 0) return 0
    const taken = this.attempt()
    return taken === PENDING ? -1 : taken
  }

  /** Takes the lock if this agent may; gives the tag of the dead last holder, or 0. */
  attempt(): number | Pending {
    const { words, tag } = this
    for (;;) {
      const word = Atomics.load(words, this.#owner)
      const owner = word & OWNER
      const isTaken = owner !== 0 && (owner === tag || !isDead(words, owner))
      const gate = isTaken ? 0 : this.#gate.owner()
      if (isTaken || this.#gate.bars(gate)) {
        // SYNC: a waiter arms first, then sets the bit or sees it set; whoever frees the lock sees it, then looks.
        if ((word & AWAITED) !== 0) return PENDING
        if (this.#swap(word, word | AWAITED)) return PENDING
        continue
      }
      // SYNC: before the CAS, so that whoever no longer sees the dead tag sees that there was one.
      if (owner !== 0) Atomics.add(words, this.#base + LOCK.thefts, 1)
      // SYNC: pairs with the CAS in release(): what the last holder wrote is visible once we own the word.
      // CRASH: dying after this leaves our tag: the next one steals it, by exactly one successful CAS.
      if (!this.#swap(word, tag | (word & AWAITED))) continue
      this.#gate.open(gate)
      return owner
    }
  }

  /** Gives the lock back, whoever holds it. False when nobody alive does. */
  release(): boolean {
    return this.releaseOwn() || this.#releaseOthers()
  }

  /** Gives back what this agent holds; false when it does not hold it (any more). */
  releaseOwn(): boolean {
    return this.#swap(this.tag, 0) || this.#free(this.tag)
  }

  available(): boolean {
    return this.holder() === 0
  }

  recheckMs(): number {
    return this.#gate.recheckMs()
  }

  abandon(): void {
    this.#gate.leave()
  }

  /** The gate may have been given to us just as we got the lock without it. */
  settle(): void {
    this.#gate.settle()
  }

  /** Tag of the living agent that holds the lock, or 0. */
  holder(): number {
    const owner = Atomics.load(this.words, this.#owner) & OWNER
    return owner === 0 || isDead(this.words, owner) ? 0 : owner
  }

  /** Whether this agent holds the lock. */
  isMine(): boolean {
    return (Atomics.load(this.words, this.#owner) & OWNER) === this.tag
  }

  /** Whether its holder has died since `thefts()` gave `seen`, whoever holds it now. */
  wasOrphaned(seen: number): boolean {
    const owner = Atomics.load(this.words, this.#owner) & OWNER
    return (owner !== 0 && isDead(this.words, owner)) || this.thefts() !== seen
  }

  thefts(): number {
    return Atomics.load(this.words, this.#base + LOCK.thefts)
  }

  #releaseOthers(): boolean {
    for (;;) {
      const owner = this.holder()
      if (owner === 0) return false
      if (this.#free(owner)) return true
    }
  }

  /** Frees the lock for that owner, and wakes whoever is next; false when it is not the owner. */
  #free(owner: number): boolean {
    for (;;) {
      const word = Atomics.load(this.words, this.#owner)
      if ((word & OWNER) !== owner) return false
      // The bit stays: others may sleep beside the one that is woken.
      if (this.#swap(word, word & AWAITED)) {
        if ((word & AWAITED) !== 0) this.#wakeNext()
        return true
      }
    }
  }

  /** The lock is free, and somebody may wait. */
  #wakeNext(): void {
    // SYNC: a waiter that arms after this look finds the bit cleared, or the lock free. But the bit may have been set
    // by one that came meanwhile, and the lock be taken and freed again: so we look once more.
    // CRASH: dying before the second look: a death makes all who wait look, and set the bit.
    if (!this.#gate.isAwaited() && this.#swap(AWAITED, 0)) {
      if (!this.#gate.isAwaited()) return
      Atomics.or(this.words, this.#owner, AWAITED)
    }
    this.#gate.wakeNext()
  }

  #swap(from: number, to: number): boolean {
    return Atomics.compareExchange(this.words, this.#owner, from, to) === from
  }
}
