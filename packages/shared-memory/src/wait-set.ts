/**
 * The set of agents that wait for one condition: a bit each, in shared memory.
 *
 * A waiter arms its bit, looks once more, and sleeps on its bell. A waker clears
 * a bit and rings its owner. A wake is a hint: whoever wakes looks again. With
 * arrival times the set wakes the agent that has waited longest.
 *
 * @module
 */
import type { Agent } from './agent.js'
import { AGENT_SET_WORDS, HEADER, MAX_AGENTS } from './layout.js'

/** Words that a wait set takes. */
export const WAIT_SET_WORDS: number = AGENT_SET_WORDS
/** Words that the arrival times of a wait set take. */
export const ARRIVAL_WORDS: number = MAX_AGENTS

/** Arrival times count in 1/64 ms and wrap after 18 hours; only differences are used. */
export function toTicks(milliseconds: number): number {
  return (milliseconds * 64) | 0
}

export class WaitSet {
  readonly #agent: Agent
  readonly #bits: number
  readonly #arrivals: number
  readonly #queue: number
  /** Where to look first; differs by agent on purpose, so no slot is favoured. */
  #rotor: number

  /**
   * @param bits first of `WAIT_SET_WORDS` words.
   * @param arrivals first of `ARRIVAL_WORDS` words, when order matters.
   * @param queue first word of another set, which keeps the places of those who arm here when they are woken.
   */
  constructor(agent: Agent, bits: number, arrivals = -1, queue = -1) {
    this.#agent = agent
    this.#bits = bits
    this.#arrivals = arrivals
    this.#queue = queue
    this.#rotor = agent.slot
  }

  /** Identifies the set within the session. */
  get key(): number {
    return this.#bits
  }

  /**
   * Adds this agent; `arrivedAt` (milliseconds, monotonic) says since when it waits.
   *
   * @returns whether it was in the set already: if it had been, and is not, a wake was spent on it.
   */
  arm(arrivedAt: number): boolean {
    const { words, slot } = this.#agent
    const bit = 1 << (slot & 31)
    if (this.#arrivals >= 0) Atomics.store(words, this.#arrivals + slot, toTicks(arrivedAt))
    // SYNC: before the other bit, which a waker may clear at once: from then on only the queue knows our place, and
    // it may be long before this thread gets a processor again.
    if (this.#queue >= 0) Atomics.or(words, this.#queue + (slot >>> 5), bit)
    return (Atomics.or(words, this.#bits + (slot >>> 5), bit) & bit) !== 0
  }

  /** Removes this agent. False when a waker had removed it already: its wake has then been spent on us. */
  disarm(): boolean {
    return this.#clear(this.#agent.slot)
  }

  isArmed(): boolean {
    const { words, slot } = this.#agent
    return (Atomics.load(words, this.#bits + (slot >>> 5)) & (1 << (slot & 31))) !== 0
  }

  /** Whether anybody waits. */
  any(): boolean {
    const { words } = this.#agent
    if (Atomics.load(words, this.#bits) !== 0) return true
    // SYNC: read plainly, after a load that orders it. It only grows, and did before a later slot armed its bit: who armed
    // it before we did what we wake for is seen. What comes after that has looked, and needs no wake.
    return words[HEADER.highSlot] > 32 && this.#anyBeyond()
  }

  /**
   * Wakes one waiter: the first to arrive where arrivals are kept, else one that looks at its bell and need not be woken
   * through the kernel, else one that sleeps in a blocking wait, which is up sooner than an event loop, else any. Too
   * many wakes are harmless.
   */
  wakeOne(): void {
    if (this.#arrivals < 0 && (this.#wakeSpinning() || this.#wakeNext(-1, true) >= 0)) return
    const slot = this.#wakeNext(-1, false)
    if (slot >= 0) this.#backUp(slot)
  }

  /** Wakes the agent in that slot, if it waits here, as `wakeOne` would. */
  wakeThis(slot: number): boolean {
    if (!this.wake(slot)) return false
    this.#backUp(slot)
    return true
  }

  wakeAll(): void {
    const { words } = this.#agent
    const end = (this.#agent.highSlot() + 31) >>> 5
    for (let i = 0; i < end; i++) {
      let bits = Atomics.exchange(words, this.#bits + i, 0)
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        this.#agent.ring(i * 32 + bit)
      }
    }
  }

  /** Wakes the agent in that slot if it waits here. */
  wake(slot: number): boolean {
    if (!this.#clear(slot)) return false
    this.#agent.ring(slot)
    return true
  }

  /** The slot whose turn it is, or -1 when nobody waits; and since when it waits, in ticks. */
  next(): { slot: number; since: number } {
    const slot = this.#choose(-1, false)
    return { slot, since: slot < 0 ? 0 : this.#since(slot) }
  }

  #anyBeyond(): boolean {
    const { words } = this.#agent
    const end = (this.#agent.highSlot() + 31) >>> 5
    for (let i = 1; i < end; i++) {
      if (Atomics.load(words, this.#bits + i) !== 0) return true
    }
    return false
  }

  /** An agent that does not sleep in a blocking wait may have a busy event loop: another is woken beside it. */
  #backUp(slot: number): void {
    if (this.#agent.isParkedSync(slot)) return
    if (this.#wakeNext(slot, true) < 0) this.#wakeNext(slot, false)
  }

  /** SYNC: one that has stopped looking meanwhile looks at its bell once more before it sleeps (`Agent.sleep`). */
  #wakeSpinning(): boolean {
    const { words } = this.#agent
    const high = this.#agent.highSlot()
    for (let first = 0; first < high; first += 32) {
      let bits = Atomics.load(words, this.#bits + (first >>> 5))
      while (bits !== 0) {
        const slot = first + 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        if (!this.#agent.isSpinning(slot) || !this.#agent.isLive(slot)) continue
        if (this.wake(slot)) return true
      }
    }
    return false
  }

  #wakeNext(except: number, syncOnly: boolean): number {
    for (;;) {
      const slot = this.#choose(except, syncOnly)
      if (slot < 0) return -1
      // The dead cannot use a wake. One that dies after this has everybody rung on its behalf.
      if (!this.#clear(slot) || !this.#agent.isLive(slot)) continue
      this.#agent.ring(slot)
      return slot
    }
  }

  #choose(except: number, syncOnly: boolean): number {
    const { words } = this.#agent
    const high = this.#agent.highSlot()
    const start = this.#arrivals >= 0 ? 0 : (this.#rotor = (this.#rotor + 1) % high)
    let best = -1
    for (let n = 0; n < high; n++) {
      const slot = (start + n) % high
      const bits = Atomics.load(words, this.#bits + (slot >>> 5))
      if (bits === 0) {
        n += Math.min(31 - (slot & 31), high - 1 - slot)
        continue
      }
      if ((bits & (1 << (slot & 31))) === 0 || slot === except) continue
      if (syncOnly && !this.#agent.isParkedSync(slot)) continue
      if (this.#arrivals < 0) {
        this.#rotor = slot
        return slot
      }
      if (best < 0 || ((this.#since(slot) - this.#since(best)) | 0) < 0) best = slot
    }
    return best
  }

  #since(slot: number): number {
    return Atomics.load(this.#agent.words, this.#arrivals + slot)
  }

  #clear(slot: number): boolean {
    const bit = 1 << (slot & 31)
    return (Atomics.and(this.#agent.words, this.#bits + (slot >>> 5), ~bit) & bit) !== 0
  }
}
