/**
 * An arena: runs of equal blocks, each block owned by whoever its table word names.
 *
 * There is no free list to corrupt. A run is taken by a CAS per block from 0 to
 * the owner, and given back by storing 0. The rotor is only a hint. The session
 * has two: units of 256 bytes for words, pages of 64 KiB for data.
 *
 * @module
 */
import type { Agent } from './agent.js'

/** So many free runs of a length are remembered. */
export const MAX_RECENT = 65_536

/** Whose memory a freed run becomes first. */
export type Reuse =
  /** That of the agent that freed it, which is likely to be the next to take one. */
  | 'own'
  /** Anybody's: what one agent fills another empties, as with pages of messages. */
  | 'all'
/** The first blocks of an arena are kept for single ones. */
export interface Floor {
  /** The first block that is not kept. */
  readonly block: number
  /** A header word: where to look for a free one of them first. */
  readonly hint: number
}

export class Arena {
  readonly #agent: Agent
  readonly #table: number
  readonly #count: number
  readonly #rotor: number
  readonly #high: number
  readonly #maxRecent: number
  readonly #floor: Floor
  /** The words of the blocks below the floor. */
  readonly #low: Int32Array
  /** Called when blocks have become free, also those that were taken for a moment only. */
  onFreed: () => void = () => {}
  /** Runs that this agent has freed, the last one last, by their length. Others may have taken them since. */
  readonly #recent = new Map<number, number[]>()

  /**
   * @param table first of `count` owner words; `rotor` and `high` are header words.
   * @param floor which blocks are for `takeLow`, and taken otherwise only when there are no others.
   */
  constructor(
    agent: Agent,
    table: number,
    count: number,
    rotor: number,
    high: number,
    reuse: Reuse = 'own',
    floor: Floor = { block: 0, hint: rotor },
  ) {
    this.#agent = agent
    this.#table = table
    this.#count = count
    this.#rotor = rotor
    this.#high = high
    this.#maxRecent = reuse === 'own' ? MAX_RECENT : 0
    this.#floor = floor
    this.#low = agent.words.subarray(table, table + floor.block)
  }

  /**
   * Takes `length` adjacent blocks for this agent.
   *
   * CRASH: blocks taken before a death carry the dead agent's tag; the reaper frees them.
   *
   * @returns the first block, or -1 when there is no such run.
   */
  take(length: number): number {
    const { words } = this.#agent
    const recent = this.#recent.get(length)
    for (let run = recent?.pop(); run !== undefined; run = recent?.pop()) {
      if (this.#takeBetween(run, run + length, length) === run) return run
    }
    const floor = this.#floor.block
    const start = Math.min(Math.max(Atomics.load(words, this.#rotor), floor), this.#count)
    let first = this.#takeBetween(start, this.#count, length)
    if (first < 0) first = this.#takeBetween(floor, Math.min(start + length, this.#count), length)
    if (first < 0 && floor > 0) first = this.#takeBetween(0, floor + length - 1, length)
    if (first >= 0) Atomics.store(words, this.#rotor, first + length)
    return first
  }

  /** Hands a run over to another owner (an agent's tag or an object's mark). */
  give(first: number, length: number, owner: number): void {
    for (let i = 0; i < length; i++)
      Atomics.store(this.#agent.words, this.#table + first + i, owner)
  }

  /** Changes the owner of a block from one to another; false, and nothing changes, when it is not the former's. */
  swap(block: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#agent.words, this.#table + block, from, to) === from
  }

  /** Whether there is such a run. For numbers that others have written. */
  has(first: number, length: number): boolean {
    return first >= 0 && length >= 0 && first + length <= this.#count
  }

  /**
   * Takes one block for this agent, of the first ones if it can: what stays long is not to part the others.
   *
   * CRASH: as in `take`.
   *
   * @returns the block, or -1 when there is none.
   */
  takeLow(): number {
    const start = Atomics.load(this.#agent.words, this.#floor.hint)
    let block = this.#takeLowFrom(start)
    if (block < 0 && start > 0) block = this.#takeLowFrom(0)
    return block < 0 ? this.take(1) : block
  }

  #takeLowFrom(from: number): number {
    // SYNC: plain reads are a hint where to try, and much faster.
    for (let block = this.#low.indexOf(0, from); block >= 0; block = this.#low.indexOf(0, from)) {
      if (this.#takeBetween(block, block + 1, 1) === block) {
        Atomics.store(this.#agent.words, this.#floor.hint, block + 1)
        return block
      }
      from = block + 1
    }
    return -1
  }

  free(first: number, length: number): void {
    this.#clear(first, length)
    this.#remember(first, length)
    this.onFreed()
  }

  #clear(first: number, length: number): void {
    const { words } = this.#agent
    for (let i = 0; i < length; i++) Atomics.store(words, this.#table + first + i, 0)
  }

  /** Notes where free blocks are. */
  #remember(first: number, length: number): void {
    const { words } = this.#agent
    if (first < this.#floor.block) {
      const { hint } = this.#floor
      if (first < Atomics.load(words, hint)) Atomics.store(words, hint, first)
      return
    }
    if (this.#maxRecent > 0) {
      // First of all, so that memory once touched is used again, and found without looking.
      let recent = this.#recent.get(length)
      if (recent === undefined) this.#recent.set(length, (recent = []))
      if (recent.length < this.#maxRecent) {
        recent.push(first)
        return
      }
    }
    // A hint: another's store in between may leave it too high; then the run is found once the search starts over.
    if (first < Atomics.load(words, this.#rotor)) Atomics.store(words, this.#rotor, first)
  }

  owner(block: number): number {
    return Atomics.load(this.#agent.words, this.#table + block)
  }

  /** Frees every block of an owner that is no more. */
  sweep(owner: number): void {
    const { words } = this.#agent
    const end = Atomics.load(words, this.#high)
    // SYNC: plain reads, which the engine does many times faster. The owner stores no more, and what it has stored is
    // visible to whoever knows that; nobody else changes a word that names it, or makes one.
    const table = words.subarray(this.#table, this.#table + end)
    for (let i = table.indexOf(owner); i >= 0; i = table.indexOf(owner, i + 1)) this.free(i, 1)
  }

  #takeBetween(from: number, to: number, length: number): number {
    const { words, tag } = this.#agent
    let first = from
    to = Math.min(to, this.#count)
    while (first + length <= to) {
      // From the end: before a block that is taken no run can begin.
      let block = first + length - 1
      while (block >= first && Atomics.load(words, this.#table + block) === 0) block--
      if (block >= first) {
        first = block + 1
        continue
      }
      // CRASH: the mark is raised before a block is taken, so a sweep never misses one.
      raise(words, this.#high, first + length)
      for (block = first; block < first + length; block++)
        if (Atomics.compareExchange(words, this.#table + block, 0, tag) !== 0) break
      if (block === first + length) return first
      if (block > first) {
        this.#clear(first, block - first)
        // Somebody may have found too little because of these.
        this.onFreed()
      }
      first = block + 1
    }
    return -1
  }
}

/** Makes a word at least `value`. */
export function raise(words: Int32Array, word: number, value: number): void {
  for (;;) {
    const old = Atomics.load(words, word)
    if (old >= value || Atomics.compareExchange(words, word, old, value) === old) return
  }
}
