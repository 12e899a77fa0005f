/**
 * Who of the session waits for free pages of data.
 *
 * One wait set in the header, by the rules of all: who is short of pages arms its bit, looks once more, and sleeps; who
 * frees pages looks for bits. All are woken, for what is enough for one may be too little for another.
 *
 * Two that wait may turn each other away: the one holds a page for a moment, gives up, and the other has just looked.
 * Were they to wake each other, they might go on for ever. So what a waiter gives up wakes nobody, and who waits
 * looks again after `RECHECK_MS`. What everybody else gives up wakes all, as any freed page does.
 *
 * @module
 */
import type { Agent } from './agent.js'
import { HEADER } from './layout.js'
import { WaitSet } from './wait-set.js'

/** How long a waiter sleeps that may have been turned away by another one. */
export const RECHECK_MS = 100

/** The waits of one agent. */
export class MemoryWaits {
  readonly #set: WaitSet
  /** Who waits here, and which arming of the agent's bit each has seen. */
  readonly #rooms = new Map<object, number>()
  /** How often the bit was armed after a waker had cleared it. */
  #armings = 0
  #isTrying = false

  constructor(agent: Agent) {
    this.#set = new WaitSet(agent, HEADER.memory)
  }

  /** Runs an attempt of somebody who waits: what it takes and gives up wakes nobody. */
  try<R>(attempt: () => R): R {
    const outer = this.#isTrying
    this.#isTrying = true
    try {
      return attempt()
    } finally {
      this.#isTrying = outer
    }
  }

  /** Whether a ring is among those that wait, and nothing was freed since it came. */
  has(room: object): boolean {
    this.#look()
    return this.#rooms.get(room) === this.#armings
  }

  /** A ring waits, too; it has to look again after this. */
  arm(room: object, since: number): void {
    // SYNC: pairs with `wake`, which comes after the store that frees.
    if (!this.#set.arm(since)) this.#armings++
    this.#rooms.set(room, this.#armings)
  }

  /** A ring waits no longer. A wake that was spent on it was spent on all, so there is none to pass on. */
  disarm(room: object): void {
    if (this.#rooms.delete(room) && this.#rooms.size === 0) this.#set.disarm()
  }

  /**
   * Pages were freed, by whomever.
   *
   * CRASH: dying between the freeing and this: a death rings everybody.
   */
  readonly wake = (): void => {
    if (!this.#isTrying && this.#set.any()) this.#set.wakeAll()
  }

  /** A bit that a waker has cleared is armed anew for those who have looked again: the others have yet to. */
  #look(): void {
    if (this.#rooms.size > 0 && !this.#set.isArmed()) this.#armings++
  }
}
