/**
 * Who has a message that names ends of pipes: the ring, then somebody who decodes it, then nobody.
 *
 * An end in a message is held while the message can arrive. Its sender writes the number of the message beside the copy
 * (`stamp`), in the writers' lock, before the commit. So others see whether it has been taken. Who takes such a message
 * sets its bit in `decoding` before it does, and clears it once the ends are its own, or will never be. A copy whose
 * message has been taken counts as long as any bit is set: it may be that of another message, for a moment, but when a
 * taker dies in between the end is let go of once its bit is cleared, by a reaper, and nobody else decodes.
 *
 * @module
 */
import type { Agent } from '../agent.js'
import { AGENT_SET_WORDS } from '../layout.js'
import { RING } from './layout.js'

const COUNT_MASK = 0x7fffffff

/** What is written beside a copy for the message with this number: never 0, which says that it is not known. */
export function stampOf(number: number): number {
  return (number + 1) | 0
}

/** Whether a message may still arrive: it was not taken, or somebody decodes what was. */
export function mayArrive(agent: Agent, ring: number, stamp: number): boolean {
  const { words } = agent
  if (stamp === 0) return true
  const taken = Atomics.load(words, ring + RING.head) >>> 1
  // Modulo 2^31: what was taken lies behind, by less than half of that.
  if (((taken - stamp) & COUNT_MASK) >= 2 ** 30) return true
  // SYNC: who takes sets its bit before the head moves on, and holds the ends before it clears the bit.
  for (let i = 0; i < AGENT_SET_WORDS; i++) {
    let bits = Atomics.load(words, ring + RING.decoding + i)
    while (bits !== 0) {
      if (agent.isLive(i * 32 + 31 - Math.clz32(bits & -bits))) return true
      bits &= bits - 1
    }
  }
  return false
}

/** The messages with ends in them that this agent has from a ring and has not decoded. */
export class Deliveries {
  readonly #words: Int32Array
  readonly #word: number
  readonly #bit: number
  #count = 0

  /** @param ring first word of the ring. */
  constructor({ words, slot }: Agent, ring: number) {
    this.#words = words
    this.#word = ring + RING.decoding + (slot >>> 5)
    this.#bit = 1 << (slot & 31)
  }

  /** Before the commit that takes a message. */
  begin(): void {
    if (this.#count++ === 0) Atomics.or(this.#words, this.#word, this.#bit)
  }

  /** A message has been decoded, or never will be. */
  end(): void {
    // CRASH: dying before: a reaper clears it.
    if (--this.#count === 0) Atomics.and(this.#words, this.#word, ~this.#bit)
  }
}

/** Clears a dead agent's bit. May be repeated. */
export function recoverDeliveries(words: Int32Array, ring: number, slot: number): void {
  Atomics.and(words, ring + RING.decoding + (slot >>> 5), ~(1 << (slot & 31)))
}

/** One such message in the hands of whoever decodes it. Ends when reading it does, unless that is put off. */
export class Delivery {
  #deliveries: Deliveries | undefined
  isPutOff = false

  constructor(deliveries: Deliveries) {
    this.#deliveries = deliveries
  }

  /** The message is decoded later: `end` is to be called then. */
  putOff(): this {
    this.isPutOff = true
    return this
  }

  /** Does nothing the second time. */
  end(): void {
    this.#deliveries?.end()
    this.#deliveries = undefined
  }
}
