/**
 * Right of way: who is next when the fast could overtake the waiting for ever.
 *
 * Barging is allowed, so a busy primitive is fast. But a waiter that has waited
 * for more than 1 ms gets the gate, and nobody else goes before it has had its
 * turn. The gate is a right, not a hand-over of what is waited for: handing over
 * to a waiter that is just timing out would lose it. It is a hint for fairness
 * alone; it expires, so that a stopped process cannot bar the others for long.
 * After parking_lot's eventual fairness.
 *
 * @module
 */
import {
  PARKED,
  SLOT,
  type Session,
  WaitSet,
  isDead,
  makeTag,
  slotWord,
  tagSlot,
  toTicks,
} from '@mp/shared-memory/internal'

/**
 * Words of a gate. Beside them it has a set of agents, the queue, among the wait sets of its object: who has
 * begun to wait and not left since: the wait set marks it there. The wait set itself does not tell, for a waiter
 * that has been woken is out of it until it has looked.
 *
 * | word | name  | values                                                    |
 * | ---- | ----- | --------------------------------------------------------- |
 * | 0    | owner | 0 · tag of the waiter whose turn it is                    |
 * | 1    | until | when it expires, in ticks; a hint                         |
 */
const GATE = { owner: 0, until: 1 } as const

/** A waiter older than this gets the gate: api.md promises order of arrival after 1 ms. */
const FAIR_AFTER_TICKS = toTicks(1)
const TICKS_PER_MS = toTicks(1)
/**
 * How long a thread that sleeps may take to use its right of way, in milliseconds. It comes as soon as it gets
 * a processor, which takes long only when many want one, or its process is stopped.
 */
const ASLEEP_MS = 250
/** The same for an event loop. It may be busy, but holds the others up only once: its next turn comes when it has looked. */
export const GATE_MS = 100

export class Gate {
  readonly #session: Session
  readonly #words: Int32Array
  readonly #tag: number
  readonly #set: WaitSet
  readonly #queue: WaitSet
  readonly #queueBits: number
  readonly #owner: number
  readonly #until: number

  /**
   * @param set of those who wait; it keeps the queue.
   * @param queue first word of the queue.
   * @param arrivals first word of the set's times of arrival.
   */
  constructor(session: Session, word: number, set: WaitSet, queue: number, arrivals: number) {
    this.#session = session
    this.#words = session.words
    this.#tag = session.agent.tag
    this.#set = set
    this.#queue = new WaitSet(session.agent, queue, arrivals)
    this.#queueBits = queue
    this.#owner = word + GATE.owner
    this.#until = word + GATE.until
  }

  /** Who has right of way: a tag, or 0. */
  owner(): number {
    return Atomics.load(this.#words, this.#owner)
  }

  /** Whether that owner keeps this agent out. */
  bars(owner: number): boolean {
    return owner !== 0 && owner !== this.#tag && !this.#isVoid(owner)
  }

  /** Takes right of way from that owner: it has had its turn, or let it pass. */
  open(owner: number): void {
    if (owner === 0) return
    // One that has let it pass is not to get it again before it has looked: it may be stopped for long.
    if (owner !== this.#tag) this.#expel(tagSlot(owner))
    Atomics.compareExchange(this.#words, this.#owner, owner, 0)
  }

  /** Gives up place and right of way, after the agent has left the wait set with nothing. */
  leave(): void {
    this.#queue.disarm()
    if (this.owner() === this.#tag) this.open(this.#tag)
  }

  /** The same after it got what it waited for; its other waiters stay. */
  settle(): void {
    if (!this.#session.waiting.hasLine(this.#set)) this.#queue.disarm()
    if (this.owner() === this.#tag) this.open(this.#tag)
  }

  /** While somebody else has right of way, look again when that may have expired. */
  recheckMs(): number {
    if (this.owner() === 0) return Infinity
    return (
      Math.max((Atomics.load(this.#words, this.#until) - this.#now()) | 0, 0) / TICKS_PER_MS + 1
    )
  }

  /** Whether anybody waits, asleep or awake. */
  isAwaited(): boolean {
    const words = this.#words
    const sets = this.#set.key
    const end = (this.#session.agent.highSlot() + 31) >>> 5
    for (let i = 0; i < end; i++) {
      if ((Atomics.load(words, sets + i) | Atomics.load(words, this.#queueBits + i)) !== 0)
        return true
    }
    return false
  }

  /** Wakes whoever's turn it is, with right of way if it has waited long. */
  wakeNext(): void {
    const words = this.#words
    let gate = this.owner()
    if (gate === this.#tag && !this.#isQueued(this.#session.agent.slot)) {
      // We wait no longer: it was given to us just as we got here by ourselves.
      this.open(gate)
      gate = 0
    }
    // Somebody overtook the waiter that has the gate: it is its turn still.
    if (gate !== 0 && !this.#isVoid(gate)) {
      this.#wake(tagSlot(gate))
      return
    }
    this.open(gate)
    const { slot, since } = this.#eldest()
    if (slot >= 0 && ((this.#now() - since) | 0) > FAIR_AFTER_TICKS) {
      const next = this.#tagOf(slot)
      Atomics.store(words, this.#until, (this.#now() + toTicks(this.#limitMs(slot))) | 0)
      if (Atomics.compareExchange(words, this.#owner, 0, next) === 0) {
        // SYNC: gate first, then the look whether it still waits. A waiter leaves set and queue first, then gives
        // back the gate: either it sees our gate, or we see that it has left. CRASH: a dead waiter's gate is void.
        if (this.#wake(slot) || this.#isQueued(slot)) return
        this.open(next)
      }
    }
    this.#set.wakeOne()
  }

  /** Who has waited longest, asleep or awake. */
  #eldest(): { slot: number; since: number } {
    const queued = this.#queue.next()
    const armed = this.#set.next()
    if (queued.slot < 0) return armed
    return armed.slot < 0 || ((queued.since - armed.since) | 0) <= 0 ? queued : armed
  }

  /** Wakes the agent in that slot; another one if it is awake, to look whether the gate expires. */
  #wake(slot: number): boolean {
    const isAsleep = this.#set.wakeThis(slot)
    if (!isAsleep) this.#set.wakeOne()
    return isAsleep
  }

  #expel(slot: number): void {
    Atomics.and(this.#words, this.#queueBits + (slot >>> 5), ~(1 << (slot & 31)))
  }

  #isQueued(slot: number): boolean {
    return this.#hasBit(this.#queueBits, slot)
  }

  /** Whether that agent waits, asleep or awake. */
  #isWaiting(slot: number): boolean {
    return this.#hasBit(this.#set.key, slot) || this.#isQueued(slot)
  }

  #hasBit(bits: number, slot: number): boolean {
    return (Atomics.load(this.#words, bits + (slot >>> 5)) & (1 << (slot & 31))) !== 0
  }

  #limitMs(slot: number): number {
    const parked = Atomics.load(this.#words, slotWord(slot) + SLOT.parked)
    return (parked & PARKED.async) !== 0 ? GATE_MS : ASLEEP_MS
  }

  #isVoid(owner: number): boolean {
    if (isDead(this.#words, owner)) return true
    // CRASH: whoever gave it away died before it saw that the owner had just left.
    if (!this.#isWaiting(tagSlot(owner))) return true
    return ((this.#now() - Atomics.load(this.#words, this.#until)) | 0) > 0
  }

  #tagOf(slot: number): number {
    return makeTag(slot, Atomics.load(this.#words, slotWord(slot) + SLOT.state) >>> 8)
  }

  #now(): number {
    return toTicks(this.#session.agent.platform.now())
  }
}
