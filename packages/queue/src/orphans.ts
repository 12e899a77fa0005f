/**
 * The items of an acknowledged queue that were given back, or whose taker is dead.
 *
 * Nobody notes them: they follow from the claims' tags. This agent looks at all claims when somebody has died or given
 * back since it last did, and keeps what it has found, oldest first; each is looked at once more before it is used.
 *
 * @module
 */
import { HEADER, RING, type Session, isDead } from '@mp/shared-memory/internal'
import { CLAIM, CLAIM_STATE, type ClaimTable } from './claim-table.js'
import { QUEUE } from './layout.js'

const COUNT_MASK = 0x7fffffff

export class Orphans {
  readonly #session: Session
  readonly #table: ClaimTable
  readonly #base: number
  /** Claims, the oldest last. They may have been taken by others since. */
  #found: number[] = []
  #deaths: number | undefined
  #returns = 0

  /** @param base first word of the queue. */
  constructor(session: Session, table: ClaimTable, base: number) {
    this.#session = session
    this.#table = table
    this.#base = base
  }

  /** Gives the oldest that this agent knows of, and forgets it; −1 when there is none. */
  next(): number {
    return this.any() ? (this.#found.pop() as number) : -1
  }

  any(): boolean {
    this.#look()
    for (;;) {
      const claim = this.#found.at(-1)
      if (claim === undefined) return false
      if (this.has(claim)) return true
      this.#found.pop()
    }
  }

  count(): number {
    this.#look()
    this.#found = this.#found.filter((claim) => this.has(claim))
    return this.#found.length
  }

  /** Whether a claim is an orphan now. */
  has(claim: number): boolean {
    const { words } = this.#session
    const state = this.#table.load(claim, CLAIM.state)
    if (state === CLAIM_STATE.free) return false
    if (state !== CLAIM_STATE.returned && !isDead(words, state)) return false
    // The last claim that was made is void if the ring has its item still.
    return (
      Atomics.load(words, this.#base + QUEUE.claiming) !== claim + 1 ||
      this.#table.load(claim, CLAIM.number) !== this.#taken()
    )
  }

  #look(): void {
    const { words } = this.#session
    // SYNC: before the claims: a death is counted once its agent counts as dead, a return once the claim is returned.
    const deaths = Atomics.load(words, HEADER.deaths)
    const returns = Atomics.load(words, this.#base + QUEUE.returns)
    if (deaths === this.#deaths && returns === this.#returns) return
    this.#deaths = deaths
    this.#returns = returns
    const taken = this.#taken()
    const age = (claim: number): number =>
      (taken - this.#table.load(claim, CLAIM.number)) & COUNT_MASK
    const found: { claim: number; age: number }[] = []
    const { high } = this.#table
    for (let claim = 0; claim < high; claim++) {
      if (this.has(claim)) found.push({ claim, age: age(claim) })
    }
    found.sort((a, b) => a.age - b.age)
    this.#found = found.map(({ claim }) => claim)
  }

  /** How many items have been taken from the ring. */
  #taken(): number {
    return Atomics.load(this.#session.words, this.#base + QUEUE.ring + RING.head) >>> 1
  }
}
