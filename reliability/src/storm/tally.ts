/**
 * The accounts of the messages: each arrives once, and in order; none is lost but with who had taken it.
 *
 * @module
 */
import { CHANNELS, type Ledger } from './ledger.js'
import { KIND, type Record } from './record.js'

/** What is known of a message, one bit each. */
const ARRIVED = 1
const PUT = 2
const CANCELLED = 4

/** The messages of one producer in one channel, by their numbers; as many bytes, for there are many. */
class Account {
  #states = new Uint8Array(256)
  length = 0

  add(sequence: number, state: number): number {
    while (sequence >= this.#states.length) {
      const states = new Uint8Array(this.#states.length * 2)
      states.set(this.#states)
      this.#states = states
    }
    this.length = Math.max(this.length, sequence + 1)
    const before = this.#states[sequence]
    this.#states[sequence] = before | state
    return before
  }

  state(sequence: number): number {
    return this.#states[sequence]
  }
}

export class Tally {
  readonly #ledger: Ledger
  readonly #accounts = new Map<string, Account>()
  /** By channel: how many messages may have died with who had taken them. */
  readonly #mayBeLost: number[] = Array.from({ length: CHANNELS }, () => 0)
  readonly problems: string[] = []
  /** How many messages have arrived. */
  arrived = 0

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** Adds what an agent has written down, in its order; it has ended, be it before it was told to. */
  add(agent: number, records: readonly Record[]): void {
    const last = new Map<string, number>()
    for (const record of records) this.#addOne(agent, record, last)
    if (this.#ledger.isFinished(agent)) return
    for (let channel = 0; channel < CHANNELS; channel++) {
      this.#mayBeLost[channel] += this.#ledger.taking(agent, channel)
    }
  }

  /** In the end, when all channels are empty: whether all has arrived that was put. */
  close(): { lost: number; mayBeLost: number } {
    const missing = this.#mayBeLost.map(() => 0)
    for (const [key, account] of this.#accounts) {
      const [channel = 0, producer = 0] = key.split(' ').map(Number)
      for (let n = 1; n < account.length; n++) {
        const state = account.state(n)
        if (state === PUT) missing[channel]++
        if ((state & CANCELLED) !== 0 && state !== CANCELLED) {
          this.#problem(channel, producer, n, 'was said not to be put, and is there')
        }
        if (state === ARRIVED && this.#ledger.isFinished(producer)) {
          this.#problem(channel, producer, n, 'arrived, though its producer does not know')
        }
      }
    }
    for (const [channel, lost] of missing.entries()) {
      const allowed = this.#mayBeLost[channel]
      if (lost > allowed) {
        this.problems.push(`channel ${channel}: ${lost} messages are lost, ${allowed} may be`)
      }
    }
    const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)
    return { lost: sum(missing), mayBeLost: sum(this.#mayBeLost) }
  }

  #addOne(agent: number, record: Record, last: Map<string, number>): void {
    const { kind, channel, producer, sequence } = record
    const key = `${channel} ${producer}`
    const account = this.#accounts.get(key) ?? new Account()
    this.#accounts.set(key, account)
    if (kind === KIND.put || kind === KIND.cancelled) {
      account.add(sequence, kind === KIND.put ? PUT : CANCELLED)
      return
    }
    this.arrived++
    const before = last.get(key) ?? 0
    // Tasks of one thread that take at the same time may write down in another order.
    if (kind === KIND.alone && sequence < before) {
      this.#problem(channel, producer, sequence, `came to agent ${agent} after ${before}`)
    }
    last.set(key, Math.max(before, sequence))
    if ((account.add(sequence, ARRIVED) & ARRIVED) !== 0) {
      this.#problem(channel, producer, sequence, 'arrived twice')
    }
  }

  #problem(channel: number, producer: number, sequence: number, what: string): void {
    this.problems.push(`channel ${channel}: message ${sequence} of agent ${producer} ${what}`)
  }
}
