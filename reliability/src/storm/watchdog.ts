/**
 * Looks all the time whether some agent hangs: whether it waits longer than it may, for what it could have.
 *
 * It may wait as long as it has said, and a second more; not counted is the time in which some agent was stopped, or
 * the machine let nobody run.
 *
 * @module
 */
import type { Excuses } from './excuses.js'
import { type Ledger, SLOTS } from './ledger.js'
import { operations } from './operations.js'

/** The promise. */
const HANG_MS = 1_000

export class Watchdog {
  readonly #ledger: Ledger
  readonly #excuses: Excuses
  readonly #now: () => number
  readonly #blamed = new Set<number>()
  /** The longest that anybody was seen to take beyond its own limit, in milliseconds. */
  longestMs = 0

  constructor(ledger: Ledger, excuses: Excuses, now: () => number) {
    this.#ledger = ledger
    this.#excuses = excuses
    this.#now = now
  }

  /** Says what the agent has been doing for too long, and what else it does; once for each agent. */
  look(agent: number): string | undefined {
    if (this.#blamed.has(agent)) return undefined
    const now = this.#now()
    const all: string[] = []
    let hangs = false
    for (let slot = 0; slot < SLOTS; slot++) {
      const doing = this.#ledger.doing(agent, slot)
      if (doing === undefined) continue
      const { operation, limitMs, since } = doing
      const beyond = now - since - limitMs - this.#excuses.within(since, now)
      this.longestMs = Math.max(this.longestMs, beyond)
      if (beyond > HANG_MS) hangs = true
      all.push(
        `${operations[operation - 1].name} for ${Math.round(now - since)} ms (${Math.round(beyond)} beyond what is excused)`,
      )
    }
    if (!hangs) return undefined
    this.#blamed.add(agent)
    return `agent ${agent} hangs in ${all.join(', ')}`
  }

  /** What an agent is doing, for people. */
  describe(agent: number): string {
    const now = this.#now()
    const all: string[] = []
    for (let slot = 0; slot < SLOTS; slot++) {
      const doing = this.#ledger.doing(agent, slot)
      if (doing === undefined) continue
      all.push(`${operations[doing.operation - 1].name} for ${Math.round(now - doing.since)} ms`)
    }
    return all.join(', ') || 'nothing'
  }
}
