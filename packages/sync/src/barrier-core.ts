/**
 * The protocol of `Barrier`: rounds under a leaf lock, each ended by one store.
 *
 * A round ends when the last party has come; then `round` moves on. It fails when
 * it is broken or reset. A party that looks late must still learn how *its* round
 * ended, whatever the next ones did: failed rounds that have been followed by
 * others are noted in a ring.
 *
 * A round that parties wait in also fails when it cannot fill up any more: some holder of the
 * barrier has died, or a copy of it was lost on its way, and all that still hold it have come.
 * They might come once more, asynchronously; after a death that is not waited for.
 *
 * Whoever takes the leaf lock from a dead agent breaks the round, for that agent
 * was a party; so no half-made change ever counts.
 *
 * @module
 */
import {
  LeafLock,
  MAX_AGENTS,
  type ObjectShape,
  type Session,
  WaitSet,
  isDead,
} from '@mp/shared-memory/internal'

/**
 * Words of a barrier.
 *
 * | word     | name     | values                                                                 |
 * | -------- | -------- | ---------------------------------------------------------------------- |
 * | 0        | leaf     | leaf lock over all that follows                                        |
 * | 1        | parties  | how many parties make a round; never changes                           |
 * | 2        | round    | `round << 1 | broken`; the one word that ends a round                  |
 * | 3        | arrived  | how many parties have come to this round                               |
 * | 4        | failures | how many failed rounds have been noted                                 |
 * | 5–20     | failed   | ring of the last rounds that failed and were followed by others, plus 1 |
 * | 32–47    | waiters  | wait set of those who have come                                        |
 * | 48–63    | outside  | wait set of those for whom the round had no room, while its action runs |
 * | 64–79    | leafSet  | wait set of the leaf lock                                              |
 * | 128–639  | tags     | by slot: who came last                                                 |
 * | 640–1151 | rounds   | by slot: to which round that was, plus 1                               |
 */
export const BARRIER = {
  leaf: 0,
  parties: 1,
  round: 2,
  arrived: 3,
  failures: 4,
  failed: 5,
  waiters: 32,
  outside: 48,
  leafSet: 64,
  tags: 128,
  rounds: 640,
} as const

const BROKEN = 1
const FAILED_RING = 16

export function barrierShape(): Omit<ObjectShape, 'type'> {
  return { words: BARRIER.rounds + MAX_AGENTS, sets: BARRIER.waiters, setCount: 3 }
}

/** How a round stands, or how it ended. */
export type Outcome = 'open' | 'passed' | 'failed'

/** A party's place in a round. */
export interface Place {
  readonly round: number
  /** 0 for the first to come, parties − 1 for the last. */
  readonly index: number
  /** How many failures had been noted when it came. */
  readonly failures: number
}

export class BarrierCore {
  readonly waiters: WaitSet
  readonly outside: WaitSet
  readonly parties: number
  readonly #session: Session
  readonly #words: Int32Array
  readonly #base: number
  readonly #round: number
  readonly #index: number | undefined
  readonly #leaf: LeafLock

  /**
   * @param base first word of the barrier.
   * @param index of its object, by which it knows who holds it; left out: nobody is missed.
   */
  constructor(session: Session, base: number, index?: number) {
    const { agent, waiting, words } = session
    this.#session = session
    this.#words = words
    this.#base = base
    this.#round = base + BARRIER.round
    this.#index = index
    this.parties = Atomics.load(words, base + BARRIER.parties)
    this.waiters = new WaitSet(agent, base + BARRIER.waiters)
    this.outside = new WaitSet(agent, base + BARRIER.outside)
    this.#leaf = new LeafLock(agent, waiting, base + BARRIER.leaf, base + BARRIER.leafSet, () =>
      this.#markBroken(),
    )
  }

  /** How many parties have come to the current round. */
  arrived(): number {
    return this.isBroken() ? 0 : Atomics.load(this.#words, this.#base + BARRIER.arrived)
  }

  isBroken(): boolean {
    return (Atomics.load(this.#words, this.#round) & BROKEN) !== 0
  }

  /**
   * Comes to the current round.
   *
   * @param pass whether the last party ends the round at once.
   * @returns the place; 'broken' when the barrier is; 'full' while the action of the round runs.
   */
  enter(pass: boolean): Place | 'broken' | 'full' {
    const words = this.#words
    const { slot, tag } = this.#session.agent
    this.#leaf.lock()
    const state = Atomics.load(words, this.#round)
    const round = state >> 1
    if ((state & BROKEN) !== 0 || this.#lostParty(round)) {
      this.#markBroken()
      this.#leaf.unlock()
      this.#wakeAll()
      return 'broken'
    }
    const index = Atomics.load(words, this.#base + BARRIER.arrived)
    if (index >= this.parties) {
      this.#leaf.unlock()
      return 'full'
    }
    const failures = Atomics.load(words, this.#base + BARRIER.failures)
    const last = pass && index + 1 === this.parties
    if (last) {
      this.#next(round)
    } else {
      // CRASH: dying before the leaf lock is free breaks the round; dying later is seen by the tag.
      Atomics.store(words, this.#base + BARRIER.tags + slot, tag)
      Atomics.store(words, this.#base + BARRIER.rounds + slot, round + 1)
      Atomics.store(words, this.#base + BARRIER.arrived, index + 1)
    }
    this.#leaf.unlock()
    if (last) this.#wakeAll()
    return { round, index, failures }
  }

  /** Ends a full round well, unless it has failed by now. */
  pass(round: number): void {
    this.#leaf.lock()
    if (Atomics.load(this.#words, this.#round) === round << 1) this.#next(round)
    this.#leaf.unlock()
    this.#wakeAll()
  }

  /** Breaks a round if it is still open; left out, the current one. */
  break(round?: number): void {
    this.#leaf.lock()
    if (round === undefined || Atomics.load(this.#words, this.#round) === round << 1) {
      this.#markBroken()
    }
    this.#leaf.unlock()
    this.#wakeAll()
  }

  /** Begins a new round; whoever waits in the current one fails. */
  reset(): void {
    const words = this.#words
    this.#leaf.lock()
    const state = Atomics.load(words, this.#round)
    if ((state & BROKEN) !== 0 || Atomics.load(words, this.#base + BARRIER.arrived) > 0) {
      const failures = Atomics.load(words, this.#base + BARRIER.failures)
      const at = this.#base + BARRIER.failed + ((failures >>> 0) % FAILED_RING)
      Atomics.store(words, at, (state >> 1) + 1)
      Atomics.store(words, this.#base + BARRIER.failures, failures + 1)
      this.#next(state >> 1)
    }
    this.#leaf.unlock()
    this.#wakeAll()
  }

  /** How the round of a place stands; breaks it when a party that had come is dead, or none can come any more. */
  outcome({ round, failures }: Place): Outcome {
    const open = round << 1
    if (Atomics.load(this.#words, this.#round) === open) {
      if (this.#lostParty(round)) this.break(round)
      else if (this.#isForsaken(round)) this.#breakUnfilled(round)
      if (Atomics.load(this.#words, this.#round) === open) return 'open'
    }
    if (Atomics.load(this.#words, this.#round) === (open | BROKEN)) return 'failed'
    return this.#hasFailed(round, failures) ? 'failed' : 'passed'
  }

  #hasFailed(round: number, seen: number): boolean {
    const failures = Atomics.load(this.#words, this.#base + BARRIER.failures)
    // So many rounds have failed while this party slept that its own is no longer noted.
    if (((failures - seen) | 0) > FAILED_RING) return true
    for (let n = seen; n !== failures; n = (n + 1) | 0) {
      const at = this.#base + BARRIER.failed + ((n >>> 0) % FAILED_RING)
      if (Atomics.load(this.#words, at) === round + 1) return true
    }
    return false
  }

  /** Whether an agent that has come to the round is dead. */
  #lostParty(round: number): boolean {
    const words = this.#words
    const end = this.#session.agent.highSlot()
    for (let slot = 0; slot < end; slot++) {
      if (Atomics.load(words, this.#base + BARRIER.rounds + slot) !== round + 1) continue
      if (isDead(words, Atomics.load(words, this.#base + BARRIER.tags + slot))) return true
    }
    return false
  }

  /**
   * Whether a holder of the barrier is lost, and all others have come to the round: it cannot fill up.
   *
   * CRASH: whoever waits looks by itself, so no reaper has to have got anywhere. What a reaper takes away, the bit of
   * a dead holder, it replaces before that by a mark that stays.
   */
  #isForsaken(round: number): boolean {
    if (this.#index === undefined) return false
    const rounds = this.#base + BARRIER.rounds
    // Those that have come to the round are alive: `#lostParty` has looked.
    const hasCome = (slot: number): boolean =>
      Atomics.load(this.#words, rounds + slot) === round + 1
    return this.#session.lifetime.isForsaken(this.#index, hasCome)
  }

  /** Breaks a round unless it was filled, or has ended, meanwhile. */
  #breakUnfilled(round: number): void {
    const words = this.#words
    this.#leaf.lock()
    const isOpen =
      Atomics.load(words, this.#round) === round << 1 &&
      Atomics.load(words, this.#base + BARRIER.arrived) < this.parties
    if (isOpen) this.#markBroken()
    this.#leaf.unlock()
    if (isOpen) this.#wakeAll()
  }

  #next(round: number): void {
    Atomics.store(this.#words, this.#base + BARRIER.arrived, 0)
    // SYNC: this store ends the round; what the parties wrote before they came is visible to whoever reads it.
    Atomics.store(this.#words, this.#round, (round + 1) << 1)
  }

  #wakeAll(): void {
    this.waiters.wakeAll()
    this.outside.wakeAll()
  }

  #markBroken(): void {
    Atomics.or(this.#words, this.#round, BROKEN)
  }
}
