/**
 * The ledger of a storm: what every agent says that it does, in memory of its own.
 *
 * It is a `SharedMemory` beside the session, touched by nothing that is on trial. Each agent writes its own account;
 * whoever enters a section signs a check word. An agent whose death is decided is marked before it is caused, so that
 * whoever finds its signature knows that it is no violation.
 *
 * @module
 */
import { SharedMemory } from '@mp/shared-memory'

/**
 * Words of the ledger.
 *
 * | word  | name    | meaning                                                     |
 * | ----- | ------- | ----------------------------------------------------------- |
 * | 0     | stop    | 1: agents are to finish and end                             |
 * | 1     | highest | highest number of an agent                                  |
 * | 2     | pulses  | how often the pulsed event was set                          |
 * | 16–31 | holders | by section: the agent that is inside, or 0                  |
 * | 32–47 | inside  | by semaphore: how many are inside                           |
 * | 48–49 | tokens  | by condition: how many tokens there are; under its lock     |
 * | 64–   |         | accounts                                                    |
 */
const HEADER = { stop: 0, highest: 1, pulses: 2, holders: 16, inside: 32, tokens: 48 } as const
const ACCOUNTS = 64

/**
 * Words of an account.
 *
 * | word  | name   | meaning                                                                           |
 * | ----- | ------ | --------------------------------------------------------------------------------- |
 * | 0     | dying  | its death is decided: 1; it may happen at any moment                              |
 * | 1     | order  | see `ORDER`                                                                       |
 * | 2     | steps  | how many operations it has finished                                               |
 * | 3     | done   | 1: it ended when it was told to                                                   |
 * | 4     | tag    | its tag in the session                                                            |
 * | 8–15  | cells  | by semaphore: 1 while it is about to go inside or is inside                       |
 * | 16    | reads  | how often it reads                                                                |
 * | 28–31 | taking | by channel: how many messages it may have taken without having written them down   |
 * | 32–63 | slots  | what it is doing, up to 4 things at a time: operation, object, limit, 0, since (f64) |
 */
const ACCOUNT = {
  dying: 0,
  order: 1,
  steps: 2,
  done: 3,
  tag: 4,
  cells: 8,
  reads: 16,
  taking: 28,
  slots: 32,
} as const
const ACCOUNT_WORDS = 64
const SLOT_WORDS = 8
export const SLOTS = 4

/** How an agent is to end itself. */
export const ORDER = { none: 0, exit: 1, throw: 2, exhaust: 3 } as const

/** Messages go through channels: two queues, a pipe, and a queue of tasks. */
export const CHANNELS = 4

/** Something that an agent is doing. */
export interface Doing {
  readonly operation: number
  readonly object: number
  /** How long it may take, in milliseconds. */
  readonly limitMs: number
  readonly since: number
}

export class Ledger {
  readonly block: SharedMemory
  readonly #words: Int32Array
  readonly #times: Float64Array

  constructor(block: SharedMemory) {
    this.block = block
    this.#words = new Int32Array(block.buffer)
    this.#times = new Float64Array(block.buffer)
  }

  /** Makes a ledger for so many agents, one after the other. */
  static make(agents: number): Ledger {
    const size = (ACCOUNTS + (agents + 1) * ACCOUNT_WORDS) * 4
    return new Ledger(new SharedMemory({ create: true, size }))
  }

  get isStopping(): boolean {
    return this.#load(HEADER.stop) !== 0
  }

  stop(): void {
    this.#store(HEADER.stop, 1)
  }

  /** The highest number of an agent. */
  get highest(): number {
    return this.#load(HEADER.highest)
  }

  set highest(agent: number) {
    this.#store(HEADER.highest, agent)
  }

  isDying(agent: number): boolean {
    return this.#load(account(agent) + ACCOUNT.dying) !== 0
  }

  /** To be called before the death is caused. */
  markDying(agent: number): void {
    this.#store(account(agent) + ACCOUNT.dying, 1)
  }

  order(agent: number): number {
    return this.#load(account(agent) + ACCOUNT.order)
  }

  giveOrder(agent: number, order: number): void {
    this.#store(account(agent) + ACCOUNT.order, order)
  }

  countStep(agent: number): void {
    Atomics.add(this.#words, account(agent) + ACCOUNT.steps, 1)
  }

  steps(agent: number): number {
    return this.#load(account(agent) + ACCOUNT.steps)
  }

  signTag(agent: number, tag: number): void {
    this.#store(account(agent) + ACCOUNT.tag, tag)
  }

  /** The agent with that tag in the session, or 0. */
  tagged(tag: number): number {
    for (let agent = this.highest; agent > 0; agent--) {
      if (this.#load(account(agent) + ACCOUNT.tag) === tag) return agent
    }
    return 0
  }

  finish(agent: number): void {
    this.#store(account(agent) + ACCOUNT.done, 1)
  }

  isFinished(agent: number): boolean {
    return this.#load(account(agent) + ACCOUNT.done) !== 0
  }

  /**
   * Signs a section that only one may be in.
   *
   * @returns who had signed it before, or 0.
   */
  enter(section: number, agent: number): number {
    return Atomics.exchange(this.#words, HEADER.holders + section, agent)
  }

  /** Takes the signature back; false when somebody else has signed meanwhile. */
  leave(section: number, agent: number): boolean {
    return Atomics.compareExchange(this.#words, HEADER.holders + section, agent, 0) === agent
  }

  /** Who has signed the section, or 0. */
  holder(section: number): number {
    return this.#load(HEADER.holders + section)
  }

  /**
   * Counts itself inside a semaphore.
   *
   * CRASH: the cell comes first. Who dies before the addition is taken back although it was not counted: the check is
   * weaker then, never wrong.
   *
   * @returns how many are inside, the dying not counted any more.
   */
  goInside(semaphore: number, agent: number, most: number): number {
    const word = HEADER.inside + semaphore
    this.#store(account(agent) + ACCOUNT.cells + semaphore, 1)
    let inside = Atomics.add(this.#words, word, 1) + 1
    if (inside > most) {
      for (let other = 1; other <= this.highest; other++) {
        if (other === agent || !this.isDying(other)) continue
        const cell = account(other) + ACCOUNT.cells + semaphore
        if (Atomics.compareExchange(this.#words, cell, 1, 0) === 1)
          Atomics.sub(this.#words, word, 1)
      }
      inside = this.#load(word)
    }
    return inside
  }

  goOutside(semaphore: number, agent: number): void {
    const cell = account(agent) + ACCOUNT.cells + semaphore
    // Whoever took us for dead has counted us out.
    if (Atomics.compareExchange(this.#words, cell, 1, 0) === 1) {
      Atomics.sub(this.#words, HEADER.inside + semaphore, 1)
    }
  }

  beginRead(agent: number): void {
    Atomics.add(this.#words, account(agent) + ACCOUNT.reads, 1)
  }

  endRead(agent: number): void {
    Atomics.sub(this.#words, account(agent) + ACCOUNT.reads, 1)
  }

  /** An agent that reads and is not dying, or 0. */
  reader(from: number): number {
    for (let agent = from; agent <= this.highest; agent++) {
      if (this.#load(account(agent) + ACCOUNT.reads) > 0 && !this.isDying(agent)) return agent
    }
    return 0
  }

  /** The tokens of a condition, as a word of its own. */
  addTokens(condition: number, count: number): number {
    return Atomics.add(this.#words, HEADER.tokens + condition, count)
  }

  tokens(condition: number): number {
    return this.#load(HEADER.tokens + condition)
  }

  beginTake(agent: number, channel: number, count: number): void {
    Atomics.add(this.#words, account(agent) + ACCOUNT.taking + channel, count)
  }

  endTake(agent: number, channel: number, count: number): void {
    Atomics.sub(this.#words, account(agent) + ACCOUNT.taking + channel, count)
  }

  taking(agent: number, channel: number): number {
    return this.#load(account(agent) + ACCOUNT.taking + channel)
  }

  /** Says what the agent is about to do. */
  begin(agent: number, slot: number, doing: Doing): void {
    const at = slotAt(agent, slot)
    this.#store(at + 1, doing.object)
    this.#store(at + 2, doing.limitMs)
    this.#times[(at + 4) / 2] = doing.since
    // Last: whoever sees it sees the rest.
    this.#store(at, doing.operation)
  }

  end(agent: number, slot: number): void {
    this.#store(slotAt(agent, slot), 0)
  }

  /** What the agent is doing in that slot. */
  doing(agent: number, slot: number): Doing | undefined {
    const at = slotAt(agent, slot)
    const operation = this.#load(at)
    if (operation === 0) return undefined
    const object = this.#load(at + 1)
    const limitMs = this.#load(at + 2)
    const since = this.#times[(at + 4) / 2]
    // It may have gone on to something else while we read.
    return this.#load(at) === operation ? { operation, object, limitMs, since } : undefined
  }

  #load(word: number): number {
    return Atomics.load(this.#words, word)
  }

  #store(word: number, value: number): void {
    Atomics.store(this.#words, word, value)
  }
}

function account(agent: number): number {
  return ACCOUNTS + agent * ACCOUNT_WORDS
}

function slotAt(agent: number, slot: number): number {
  return account(agent) + ACCOUNT.slots + slot * SLOT_WORDS
}
