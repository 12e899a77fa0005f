/**
 * Blocking until the first of several things can be had.
 *
 * The agent stands in all their wait sets at a time. It takes nothing, so a wake
 * that was spent on it is passed on to whoever might.
 *
 * @module
 */
import type { Agent } from './agent.js'
import { PENDING, type Pending, type Waitable } from './waiting.js'
import { WaitSet } from './wait-set.js'

/** The wait sets of several things, as one. */
class Sets extends WaitSet {
  readonly #members: readonly Waitable<unknown>[]
  readonly #spent: boolean[]
  #isArmed = false

  constructor(agent: Agent, members: readonly Waitable<unknown>[]) {
    super(agent, -1)
    this.#members = members
    this.#spent = members.map(() => false)
  }

  override arm(arrivedAt: number): boolean {
    this.#members.forEach(({ set }, n) => {
      if (!set.arm(arrivedAt) && this.#isArmed) this.#spent[n] = true
    })
    this.#isArmed = true
    return true
  }

  /** Passes on what was spent on us itself: whoever waits for this one has nothing more to do. */
  override disarm(): boolean {
    this.#members.forEach((member, n) => {
      const isSpent = !member.set.disarm() && this.#isArmed
      if ((isSpent || this.#spent[n]) && member.available()) member.set.wakeOne()
      this.#spent[n] = false
    })
    this.#isArmed = false
    return true
  }
}

/** A wait until an attempt of any of these succeeds. Attempts must take nothing. */
export function anyOf(agent: Agent, members: readonly Waitable<unknown>[]): Waitable<true> {
  return {
    set: new Sets(agent, members),
    attempt: (): true | Pending =>
      members.some((member) => member.attempt() !== PENDING) ? true : PENDING,
    available: () => false,
    recheckMs: () => Math.min(...members.map((member) => member.recheckMs?.() ?? Infinity)),
  }
}
