/**
 * A lock for short straight-line sections inside a primitive.
 *
 * Two kinds of words: the owner's tag, and the agents that sleep for it. A dead
 * owner's lock is simply taken: the sections commit with one store, so there is
 * never anything to repair; what is derived is derived again (`onSteal`). After
 * LMDB's robust mutex.
 *
 * Inside it: no allocation, no user code, no other lock.
 *
 * @module
 */
import type { Agent } from './agent.js'
import { isDead } from './tag.js'
import { PENDING, type Pending, type Waitable, type Waiting } from './waiting.js'
import { WaitSet } from './wait-set.js'

/** How often to look before sleeping: sections are shorter than falling asleep. */
const SPINS = 100

export class LeafLock implements Waitable<true> {
  readonly set: WaitSet
  readonly #agent: Agent
  readonly #waiting: Waiting
  readonly #word: number
  readonly #onSteal: () => void

  /**
   * @param word holds the owner's tag, or 0.
   * @param set first word of the wait set of those who sleep for it.
   * @param onSteal runs inside the lock after it was taken from a dead owner: derive what is derived.
   */
  constructor(
    agent: Agent,
    waiting: Waiting,
    word: number,
    set: number,
    onSteal: () => void = () => {},
  ) {
    this.#agent = agent
    this.#waiting = waiting
    this.#word = word
    this.#onSteal = onSteal
    this.set = new WaitSet(agent, set)
  }

  lock(): void {
    const { words, tag } = this.#agent
    if (Atomics.compareExchange(words, this.#word, 0, tag) !== 0) this.#lockSlow()
  }

  unlock(): void {
    const { words } = this.#agent
    Atomics.store(words, this.#word, 0)
    // SYNC: pairs with arming before the second attempt: either they see 0 or we see them.
    if (this.set.any()) this.set.wakeOne()
  }

  attempt(): true | Pending {
    const { words, tag } = this.#agent
    for (;;) {
      const owner = Atomics.compareExchange(words, this.#word, 0, tag)
      if (owner === 0) return true
      // Our own tag: a section of ours was cut short, by an overflow of the stack, and left it locked.
      if (owner !== tag && !isDead(words, owner)) return PENDING
      // CRASH: exactly one CAS from the dead tag succeeds; if the thief dies too, its own tag is stolen in turn.
      if (Atomics.compareExchange(words, this.#word, owner, tag) === owner) {
        this.#onSteal()
        return true
      }
    }
  }

  available(): boolean {
    return Atomics.load(this.#agent.words, this.#word) === 0
  }

  #lockSlow(): void {
    const { words } = this.#agent
    for (let i = 0; i < SPINS; i++) {
      if (Atomics.load(words, this.#word) === 0 && this.attempt() === true) return
    }
    this.#waiting.block(this, Infinity)
  }
}
