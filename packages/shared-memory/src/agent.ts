/**
 * An agent: one thread of JavaScript as the session sees it.
 *
 * It owns a slot, signs what it claims with its tag, and sleeps on one word, its
 * bell. Everything that waits, waits by arming itself somewhere and sleeping on
 * the bell; everything that wakes, rings bells. After parking_lot's split into
 * a parker per thread and queues per address.
 *
 * @module
 */
import { Spinning } from './spinning.js'
import { HEADER, MAX_AGENTS, PARKED, SLOT, SLOT_STATE, slotWord } from './layout.js'

/** What an agent needs of the operating system; the addon has it, and tests may bring their own. */
export interface Platform {
  park(word: number, expected: number, timeoutMs: number): number
  spin(word: number, expected: number, timeoutMs: number): number
  wake(word: number, mask: number): void
  now(): number
}

/** The longest uninterrupted sleep in milliseconds; between slices JavaScript runs, so `terminate()` and Ctrl-C work. */
export const SLICE_MS = 100

const ASLEEP = PARKED.sync | PARKED.async

export class Agent {
  /** The control region. Only through `Atomics`. */
  readonly words: Int32Array
  readonly platform: Platform
  readonly slot: number
  readonly tag: number
  readonly #bell: number
  readonly #parked: number
  readonly #spinning = new Spinning()
  /** Whether there is another processor for whoever is to ring. */
  maySpin: () => boolean = () => false
  /** Called when this agent rings itself: somebody in this thread waits asynchronously. */
  onSelfRing: () => void = () => {}

  constructor(words: Int32Array, platform: Platform, slot: number, tag: number) {
    this.words = words
    this.platform = platform
    this.slot = slot
    this.tag = tag
    this.#bell = slotWord(slot) + SLOT.bell
    this.#parked = slotWord(slot) + SLOT.parked
  }

  get bellWord(): number {
    return this.#bell
  }

  get parkedWord(): number {
    return this.#parked
  }

  /** The bell's count; taken before arming, it makes a ring that comes later end the sleep. */
  bell(): number {
    return Atomics.load(this.words, this.#bell)
  }

  /**
   * Sleeps until the bell differs from `seen`, at most `timeoutMs` and at most a slice.
   *
   * @param spinning says whether, and for how long, it looks before.
   * @returns false when the time passed without a ring.
   */
  sleep(seen: number, timeoutMs: number, spinning: Spinning = this.#spinning): boolean {
    const { words } = this
    if (this.#spin(seen, timeoutMs, spinning)) return true
    // SYNC: pairs with ring(): it adds to the bell, then reads `parked`; we set `parked`, then read the bell.
    // One of the two sees the other, so either we do not sleep or we are woken.
    // Only the sleeper clears the flag: a ringer that cleared it would hide us from the next ringer.
    Atomics.or(words, this.#parked, PARKED.sync)
    let rung = true
    if (Atomics.load(words, this.#bell) === seen) {
      rung = this.platform.park(this.#bell, seen, Math.min(timeoutMs, SLICE_MS)) !== 2
    }
    Atomics.and(words, this.#parked, ~PARKED.sync)
    return rung
  }

  /**
   * Looks at the bell for a moment before sleeping: who rings soon need not wake us through the kernel.
   *
   * SYNC: nothing depends on it. A ringer that sees `spin` alone does not wake; we look at the bell again, once we
   * have said that we sleep. CRASH: the bit of a dead agent is cleared with its slot, and was a hint.
   */
  #spin(seen: number, timeoutMs: number, spinning: Spinning): boolean {
    const { platform, words } = this
    const { milliseconds } = spinning
    if (!this.maySpin() || timeoutMs < milliseconds || !spinning.isWorthIt()) return false
    Atomics.or(words, this.#parked, PARKED.spin)
    const rung = platform.spin(this.#bell, seen, milliseconds) !== 0
    Atomics.and(words, this.#parked, ~PARKED.spin)
    spinning.note(rung)
    return rung
  }

  /**
   * Sleeps for about so long, in no set and without saying so: who rings is spared the call that wakes a sleeper.
   *
   * For somebody who looks again afterwards whatever happens. A death ends it, as it ends every sleep.
   */
  nap(milliseconds: number): void {
    this.platform.park(this.#bell, this.bell(), milliseconds)
  }

  /**
   * Rings an agent's bell: it looks again at whatever it waits for.
   *
   * CRASH: dying between the two steps leaves the sleeper asleep; any death rings everybody.
   */
  ring(slot: number): void {
    const { words } = this
    const base = slotWord(slot)
    Atomics.add(words, base + SLOT.bell, 1)
    if (slot === this.slot) this.onSelfRing()
    const parked = Atomics.load(words, base + SLOT.parked)
    if ((parked & ASLEEP) !== 0) this.platform.wake(base + SLOT.bell, parked & ASLEEP)
  }

  /** Rings every agent, parked or not: after a death nobody knows who missed a wake. */
  ringAll(): void {
    const { words } = this
    const end = this.highSlot()
    for (let slot = 0; slot < end; slot++) {
      const base = slotWord(slot)
      const state = Atomics.load(words, base + SLOT.state) & 0xff
      if (state === SLOT_STATE.free || state === SLOT_STATE.dead) continue
      Atomics.add(words, base + SLOT.bell, 1)
      if (slot === this.slot) this.onSelfRing()
      this.platform.wake(base + SLOT.bell, PARKED.sync | PARKED.async)
    }
  }

  /** Whether the slot holds an agent that can still react to a ring. */
  isLive(slot: number): boolean {
    const state = Atomics.load(this.words, slotWord(slot) + SLOT.state) & 0xff
    return state === SLOT_STATE.live || state === SLOT_STATE.exiting || state === SLOT_STATE.joining
  }

  /** Whether the slot's thread sleeps in a synchronous wait right now, or is about to. A hint. */
  isParkedSync(slot: number): boolean {
    return (Atomics.load(this.words, slotWord(slot) + SLOT.parked) & ~PARKED.async) !== 0
  }

  /** Whether the slot's thread looks at its bell all the time right now: a ring need not wake it. A hint. */
  isSpinning(slot: number): boolean {
    return (Atomics.load(this.words, slotWord(slot) + SLOT.parked) & PARKED.spin) !== 0
  }

  /** One more than the highest slot ever used: how far to scan a set of agents. */
  highSlot(): number {
    return Math.min(Atomics.load(this.words, HEADER.highSlot), MAX_AGENTS)
  }
}
