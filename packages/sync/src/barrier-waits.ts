/**
 * The two things that a party of a barrier waits for: room in a round, and the round's end.
 *
 * They have a wait set each, for those who wait for the end of a round may have to
 * be passed by those who must come to it first.
 *
 * @module
 */
import { PENDING, type Pending, type WaitSet, type Waitable } from '@mp/shared-memory/internal'
import type { BarrierCore, Outcome, Place } from './barrier-core.js'

/** Waits for room in a round: until the action of the one before has run. */
export class Entry implements Waitable<Place | 'broken'> {
  readonly set: WaitSet
  readonly #core: BarrierCore
  readonly #pass: boolean

  constructor(core: BarrierCore, pass: boolean) {
    this.set = core.outside
    this.#core = core
    this.#pass = pass
  }

  attempt(): Place | 'broken' | Pending {
    const place = this.#core.enter(this.#pass)
    return place === 'full' ? PENDING : place
  }

  /** Whoever ends a round wakes all; there is nothing to pass on. */
  available(): boolean {
    return false
  }
}

/** Waits for the end of a round that this party has come to. */
export class Party implements Waitable<Outcome> {
  readonly set: WaitSet
  readonly #core: BarrierCore
  readonly #place: Place

  constructor(core: BarrierCore, place: Place) {
    this.set = core.waiters
    this.#core = core
    this.#place = place
  }

  attempt(): Outcome | Pending {
    const outcome = this.#core.outcome(this.#place)
    return outcome === 'open' ? PENDING : outcome
  }

  /** Whoever ends a round wakes all; there is nothing to pass on. */
  available(): boolean {
    return false
  }
}
