/**
 * How much each agent holds: one signed count per slot.
 *
 * Every count stands beside the tag of the agent that it belongs to, so what a
 * dead agent held is recognised by whoever looks next, also after somebody else
 * took its slot; no recovery has to run first. All calls but those of a reader
 * that only wants a hint are made under a leaf lock.
 *
 * @module
 */
import { MAX_AGENTS, type Session, isDead } from '@mp/shared-memory/internal'

/**
 * Words of a ledger.
 *
 * | word     | name   | values                                                  |
 * | -------- | ------ | ------------------------------------------------------- |
 * | 0–511    | tags   | by slot: whose count it is. Only the agent itself signs |
 * | 512–1023 | counts | by slot: how much that agent holds                      |
 */
const LEDGER = { tags: 0, counts: MAX_AGENTS } as const
export const LEDGER_WORDS: number = 2 * MAX_AGENTS

export class Ledger {
  readonly #session: Session
  readonly #words: Int32Array
  readonly #tags: number
  readonly #counts: number
  readonly #mine: number
  /** Whether this agent has signed its count. It does so once: nobody else takes its slot while it lives. */
  #signed: boolean

  /** @param base first of `LEDGER_WORDS` words. */
  constructor(session: Session, base: number) {
    this.#session = session
    this.#words = session.words
    this.#tags = base + LEDGER.tags
    this.#counts = base + LEDGER.counts
    this.#mine = this.#counts + session.agent.slot
    // An object of this agent that is forgotten by now may have signed.
    this.#signed = Atomics.load(this.#words, this.#tags + session.agent.slot) === session.agent.tag
  }

  /** Whether this agent's count is its own; before that the slot's count may be a dead agent's. */
  get signed(): boolean {
    return this.#signed
  }

  /** How much this agent holds. */
  own(): number {
    return this.#signed ? Atomics.load(this.#words, this.#mine) : 0
  }

  /** Sets how much this agent holds, by one store; it must have signed before. */
  setOwn(count: number): void {
    Atomics.store(this.#words, this.#mine, count)
  }

  /** How much is in the ledger, whoever holds it, dead or alive. */
  total(): number {
    let total = 0
    const end = this.#session.agent.highSlot()
    for (let slot = 0; slot < end; slot++) total += Atomics.load(this.#words, this.#counts + slot)
    return total
  }

  /** How much the living hold. */
  livingTotal(): number {
    let total = 0
    const end = this.#session.agent.highSlot()
    for (let slot = 0; slot < end; slot++) {
      const count = Atomics.load(this.#words, this.#counts + slot)
      if (count !== 0 && !this.#isDead(slot)) total += count
    }
    return total
  }

  /**
   * Strikes out what the dead held, and signs this agent's count.
   *
   * CRASH: each count is struck by one store, before the count could be signed by a successor.
   *
   * @returns the tag of a dead agent that held something, or 0.
   */
  settle(): number {
    let dead = 0
    const { slot: own, tag } = this.#session.agent
    const end = this.#session.agent.highSlot()
    for (let slot = 0; slot < end; slot++) {
      if (Atomics.load(this.#words, this.#counts + slot) === 0) continue
      const holder = Atomics.load(this.#words, this.#tags + slot)
      if (!isDead(this.#words, holder)) continue
      dead = holder
      Atomics.store(this.#words, this.#counts + slot, 0)
    }
    if (!this.#signed) {
      Atomics.store(this.#words, this.#tags + own, tag)
      this.#signed = true
    }
    return dead
  }

  /** Takes up to `count` from what other living agents hold; each step is one store. Returns how much it took. */
  takeFromOthers(count: number): number {
    let taken = 0
    const end = this.#session.agent.highSlot()
    for (let slot = 0; slot < end && taken < count; slot++) {
      const held = Atomics.load(this.#words, this.#counts + slot)
      if (held === 0 || slot === this.#session.agent.slot || this.#isDead(slot)) continue
      const part = Math.min(held, count - taken)
      Atomics.store(this.#words, this.#counts + slot, held - part)
      taken += part
    }
    return taken
  }

  #isDead(slot: number): boolean {
    return isDead(this.#words, Atomics.load(this.#words, this.#tags + slot))
  }
}
