/**
 * The protocol of `Condition`: each agent's cell says how many of it wait and how many may go.
 *
 * Cells change under the condition's lock, each by one step. A notification is a
 * grant in the cell of one agent; a waiter uses it up only after it has the lock
 * again, so it cannot be lost between the two. Where a death could have lost one,
 * waiters go on without: a wait may end for no other reason than a death.
 *
 * | who dies               | what the others do                                                             |
 * | ---------------------- | ------------------------------------------------------------------------------ |
 * | the holder of the lock | it may have been about to notify: all who waited before go on                  |
 * | a waiter, not granted  | its cell counts no more                                                        |
 * | a waiter, granted      | a waiter that looks takes the grant over: its own cell first, then the dead one |
 *
 * @module
 */
import {
  MAX_AGENTS,
  MultiprocessingError,
  type ObjectShape,
  PENDING,
  type Pending,
  type Session,
  WaitSet,
  type Waitable,
  isDead,
} from '@mp/shared-memory/internal'
import type { LockCore } from './lock-core.js'

/**
 * Words of a condition.
 *
 * | word      | name    | values                                                                              |
 * | --------- | ------- | ----------------------------------------------------------------------------------- |
 * | 0         | turn    | counts waits and grants, for their order                                            |
 * | 16–31     | waiters | wait set                                                                            |
 * | 64–575    | tags    | by slot: whose cell it is; only the agent itself signs                              |
 * | 576–1087  | cells   | by slot: `waiting << 16 | granted`                                                  |
 * | 1088–1599 | order   | by slot: `turn` when its first waiter came, or when it last got a grant; a hint      |
 */
const CONDITION = {
  turn: 0,
  waiters: 16,
  tags: 64,
  cells: 576,
  order: 1088,
} as const

const WAITING = 1 << 16
const GRANTED = 1
const MAX_WAITING = 0x7fff

export function conditionShape(): Omit<ObjectShape, 'type'> {
  return { words: CONDITION.order + MAX_AGENTS, sets: CONDITION.waiters, setCount: 1 }
}

/** A wait that has begun. */
export class Waiter implements Waitable<true> {
  readonly set: WaitSet
  /** Whether a grant is reserved for this waiter. */
  claimed = false
  readonly #core: ConditionCore
  readonly #lock: LockCore
  readonly #thefts: number

  constructor(core: ConditionCore, set: WaitSet, lock: LockCore) {
    this.set = set
    this.#core = core
    this.#lock = lock
    this.#thefts = lock.thefts()
  }

  attempt(): true | Pending {
    if (this.#core.claim()) {
      this.claimed = true
      return true
    }
    return this.#lock.wasOrphaned(this.#thefts) ? true : PENDING
  }

  /** A grant is for one agent; there is nothing to pass on. */
  available(): boolean {
    return false
  }
}

/** Everything but `claim` is called by the holder of the condition's lock. */
export class ConditionCore {
  readonly #session: Session
  readonly #words: Int32Array
  readonly #base: number
  readonly #cell: number
  readonly #set: WaitSet
  #signed = false
  /** How many grants of this agent's cell are reserved for waiters that do not have the lock yet. */
  #claimed = 0

  /** @param base first word of the condition. */
  constructor(session: Session, base: number) {
    this.#session = session
    this.#words = session.words
    this.#base = base
    this.#cell = base + CONDITION.cells + session.agent.slot
    this.#set = new WaitSet(session.agent, base + CONDITION.waiters)
  }

  /** Begins a wait; the lock may be released after that. */
  begin(lock: LockCore): Waiter {
    this.#settleDead()
    const { slot, tag } = this.#session.agent
    if (!this.#signed) {
      Atomics.store(this.#words, this.#base + CONDITION.tags + slot, tag)
      this.#signed = true
    }
    const waiting = Atomics.load(this.#words, this.#cell) >>> 16
    if (waiting === MAX_WAITING) {
      throw new MultiprocessingError(
        'ERR_MP_TOO_MANY_WAITERS',
        `${MAX_WAITING} waits of this thread for this Condition are pending, which is the limit`,
      )
    }
    if (waiting === 0) this.#takeTurn(slot)
    // CRASH: dying from here until the lock is released wakes everybody who waits, as the holder's death does.
    Atomics.add(this.#words, this.#cell, WAITING)
    return new Waiter(this, this.#set, lock)
  }

  /**
   * Ends a wait of this agent; the lock is held again.
   *
   * @returns whether it was notified.
   */
  end(waiter: Waiter): boolean {
    if (waiter.claimed) this.#claimed--
    // One whose time is up may have been notified meanwhile.
    const granted = waiter.claimed || this.#unclaimed()
    Atomics.sub(this.#words, this.#cell, granted ? GRANTED : WAITING)
    return granted
  }

  /** Reserves one of this agent's grants, or one that a dead waiter did not use. */
  claim(): boolean {
    if (!this.#unclaimed() && !this.#inherit()) return false
    this.#claimed++
    return true
  }

  /** Lets up to `count` waiters go, in the order of their agents' turns. */
  notify(count: number): void {
    this.#settleDead()
    for (let n = 0; n < count; n++) {
      if (!this.#notifyOne()) return
    }
  }

  #notifyOne(): boolean {
    const words = this.#words
    const order = this.#base + CONDITION.order
    const cells = this.#base + CONDITION.cells
    const end = this.#session.agent.highSlot()
    for (;;) {
      let next = -1
      for (let slot = 0; slot < end; slot++) {
        if (Atomics.load(words, cells + slot) >>> 16 === 0 || this.#isDead(slot)) continue
        const turn = Atomics.load(words, order + slot)
        if (next < 0 || ((turn - Atomics.load(words, order + next)) | 0) < 0) next = slot
      }
      if (next < 0) return false
      // An agent whose last waiter has just inherited a grant is passed over.
      if (!this.#grant(cells + next)) continue
      // CRASH: it may have died since we looked, and everybody have heard of it: nobody would look for this grant any
      // more. One that dies from here on is inherited from. Should somebody have taken it over, it counts twice.
      if (this.#isDead(next)) {
        this.#takeBack(cells + next)
        continue
      }
      // SYNC: the grant first, then the wake; a waiter arms first, then looks at its cell.
      // CRASH: dying between the two is the death of the lock's holder.
      this.#set.wake(next)
      // An agent with several waiters goes to the end of the line for the next.
      this.#takeTurn(next)
      return true
    }
  }

  /** Turns one of a cell's waiters into a grant, by one CAS; false when none waits any more. */
  #grant(cell: number): boolean {
    for (;;) {
      const old = Atomics.load(this.#words, cell)
      if (old >>> 16 === 0) return false
      const granted = old + GRANTED - WAITING
      if (Atomics.compareExchange(this.#words, cell, old, granted) === old) return true
    }
  }

  /** Takes a grant that a dead agent got back, if it still has it. */
  #takeBack(cell: number): void {
    for (;;) {
      const old = Atomics.load(this.#words, cell)
      if ((old & 0xffff) === 0) return
      if (Atomics.compareExchange(this.#words, cell, old, old - GRANTED) === old) return
    }
  }

  /** Passes the dead's unused grants to those who wait now, and empties their cells. */
  #settleDead(): void {
    const cells = this.#base + CONDITION.cells
    const end = this.#session.agent.highSlot()
    for (let slot = 0; slot < end; slot++) {
      const cell = Atomics.load(this.#words, cells + slot)
      if (cell === 0 || !this.#isDead(slot)) continue
      // CRASH: a grant may be passed on twice, never lost.
      for (let granted = cell & 0xffff; granted > 0; granted--) {
        if (!this.#notifyOne()) break
      }
      Atomics.store(this.#words, cells + slot, 0)
    }
  }

  /**
   * Takes a dead waiter's grant over, not holding the lock.
   *
   * CRASH: our cell first, then the dead one: two may take one grant over, none is lost.
   */
  #inherit(): boolean {
    const cells = this.#base + CONDITION.cells
    const end = this.#session.agent.highSlot()
    for (let slot = 0; slot < end; slot++) {
      const cell = Atomics.load(this.#words, cells + slot)
      if ((cell & 0xffff) === 0 || !this.#isDead(slot)) continue
      if (!this.#grant(this.#cell)) return this.#unclaimed()
      Atomics.compareExchange(this.#words, cells + slot, cell, cell - GRANTED)
      return true
    }
    return false
  }

  /** Whether this agent's cell has a grant that is not reserved. */
  #unclaimed(): boolean {
    return (Atomics.load(this.#words, this.#cell) & 0xffff) > this.#claimed
  }

  #takeTurn(slot: number): void {
    const turn = Atomics.add(this.#words, this.#base + CONDITION.turn, 1)
    Atomics.store(this.#words, this.#base + CONDITION.order + slot, turn)
  }

  #isDead(slot: number): boolean {
    return isDead(this.#words, Atomics.load(this.#words, this.#base + CONDITION.tags + slot))
  }
}
