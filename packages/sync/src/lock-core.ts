/**
 * The protocol of `Lock` and `RLock`: one word, an anti-barging gate, a wait set in order of arrival.
 *
 * Taking a free lock is one load and one CAS; releasing it is one exchange and a
 * look at the wait set. Barging is allowed, so a busy lock is fast, but a waiter
 * that has waited for more than 1 ms gets the gate: nobody else takes the lock
 * until it has had its turn. The gate is a right of way, not a hand-over of the
 * lock: handing over to a waiter that is just timing out would lose the lock.
 * After Drepper, "Futexes Are Tricky", and parking_lot's eventual fairness.
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
  type Waitable,
  isDead,
  makeTag,
  SLOT,
  slotWord,
  tagSlot,
  toTicks,
} from '@mp/shared-memory/internal'

/**
 * Words of a lock.
 *
 * | word   | name     | values                                                                               |
 * | ------ | -------- | ------------------------------------------------------------------------------------ |
 * | 0      | owner    | 0 free · tag of the agent that took it. A dead agent's tag: free, and its last holder died |
 * | 1      | gate     | 0 · tag of the waiter whose turn it is                                               |
 * | 2      | gateAt   | when the gate was given, in ticks; a hint, for its expiry                            |
 * | 3      | depth    | how often an `RLock`'s owner has taken it; only the owner writes it                   |
 * | 16–23  | waiters  | wait set                                                                             |
 * | 64–319 | arrivals | since when each agent waits                                                          |
 */
export const LOCK = { owner: 0, gate: 1, gateAt: 2, depth: 3, waiters: 16, arrivals: 64 } as const

export const LOCK_WORDS: number = LOCK.arrivals + ARRIVAL_WORDS

/** The shape of an object that begins with a lock. */
export function lockShape(type: number): ObjectShape {
  return { type, words: LOCK_WORDS, sets: LOCK.waiters, setCount: 1 }
}

/** A waiter older than this gets the gate. */
const FAIR_AFTER_TICKS = toTicks(1)
/** A gate that is not used for so long is void: its owner is stopped, or its event loop is busy. */
const GATE_MS = 10

export class LockCore implements Waitable<number> {
  readonly set: WaitSet
  readonly #session: Session
  readonly #words: Int32Array
  readonly #tag: number
  readonly #owner: number
  readonly #gate: number
  readonly #gateAt: number

  /** @param base first word of the lock. */
  constructor(session: Session, base: number) {
    this.#session = session
    this.#words = session.words
    this.#tag = session.agent.tag
    this.#owner = base + LOCK.owner
    this.#gate = base + LOCK.gate
    this.#gateAt = base + LOCK.gateAt
    this.set = new WaitSet(session.agent, base + LOCK.waiters, base + LOCK.arrivals)
  }

  /** The free path; false when the slow one has to decide. */
  takeFree(): boolean {
    return (
      Atomics.load(this.#words, this.#gate) === 0 &&
      Atomics.compareExchange(this.#words, this.#owner, 0, this.#tag) === 0
    )
  }

  /** Takes the lock if this agent may; gives the tag of the dead last holder, or 0. */
  attempt(): number | Pending {
    const words = this.#words
    for (;;) {
      const owner = Atomics.load(words, this.#owner)
      if (owner !== 0 && (owner === this.#tag || !isDead(words, owner))) return PENDING
      const gate = Atomics.load(words, this.#gate)
      if (gate !== 0 && gate !== this.#tag && !this.#isVoid(gate)) return PENDING
      // SYNC: pairs with the exchange in release(): what the last holder wrote is visible once we own the word.
      // CRASH: dying after this leaves our tag: the next one steals it, by exactly one successful CAS.
      if (Atomics.compareExchange(words, this.#owner, owner, this.#tag) !== owner) continue
      if (gate !== 0) Atomics.compareExchange(words, this.#gate, gate, 0)
      return owner
    }
  }

  /** Gives the lock back, whoever holds it. False when nobody did. */
  release(): boolean {
    // SYNC: the free word comes first, then the look at the wait set; a waiter arms first, then looks at the word.
    if (Atomics.exchange(this.#words, this.#owner, 0) === 0) return false
    if (this.set.any()) this.#handOn()
    return true
  }

  /** Gives back what this agent holds; false when it does not hold it (any more). */
  releaseOwn(): boolean {
    if (Atomics.compareExchange(this.#words, this.#owner, this.#tag, 0) !== this.#tag) return false
    if (this.set.any()) this.#handOn()
    return true
  }

  available(): boolean {
    return this.holder() === 0
  }

  /** While somebody else has right of way, look again when that may have expired. */
  recheckMs(): number {
    return Atomics.load(this.#words, this.#gate) === 0 ? Infinity : GATE_MS
  }

  /** A waiter that leaves gives the gate back. */
  abandon(): void {
    Atomics.compareExchange(this.#words, this.#gate, this.#tag, 0)
  }

  /** Tag of the living agent that holds the lock, or 0. */
  holder(): number {
    const owner = Atomics.load(this.#words, this.#owner)
    return owner === 0 || isDead(this.#words, owner) ? 0 : owner
  }

  /** Wakes whoever's turn it is, with the right of way if it has waited long. */
  #handOn(): void {
    const words = this.#words
    const gate = Atomics.load(words, this.#gate)
    if (gate !== 0 && !this.#isVoid(gate)) {
      // Somebody overtook the waiter that has the gate; it is its turn still.
      if (!this.set.wakeThis(tagSlot(gate))) this.set.wakeOne()
      return
    }
    const { slot, since } = this.set.next()
    if (slot < 0) return
    if (((this.#now() - since) | 0) > FAIR_AFTER_TICKS) {
      const next = this.#tagOf(slot)
      Atomics.store(words, this.#gateAt, this.#now())
      if (Atomics.compareExchange(words, this.#gate, gate, next) === gate) {
        // SYNC: gate first, then the wake. A waiter that leaves disarms first, then gives back the gate: either
        // it sees our gate, or we see that it is no longer armed. CRASH: a dead waiter's gate is void.
        if (this.set.wakeThis(slot)) return
        Atomics.compareExchange(words, this.#gate, next, 0)
      }
    }
    this.set.wakeOne()
  }

  #isVoid(gate: number): boolean {
    if (isDead(this.#words, gate)) return true
    const since = Atomics.load(this.#words, this.#gateAt)
    return ((this.#now() - since) | 0) > toTicks(GATE_MS)
  }

  #tagOf(slot: number): number {
    return makeTag(slot, Atomics.load(this.#words, slotWord(slot) + SLOT.state) >>> 8)
  }

  #now(): number {
    return toTicks(this.#session.agent.platform.now())
  }
}
