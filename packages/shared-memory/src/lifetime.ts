/**
 * When a shared object ends: once no agent holds it and no copy of its handle is on its way.
 *
 * Actors: agents that hold an object (a bit each in its entry), send copies of its handle (a place
 * each, see `copies.ts`), receive them, let go; the one that ends it; reapers.
 *
 * States of an entry: free → tag of its maker → there → tag of who ends it → free. While it is there
 * `state` counts whatever brings a new user: coming to hold it, and sending it ("a stir").
 *
 *  - hold:    set the bit, stir. When the stir fails the object had ended: clear the bit again.
 *  - send:    holding it, take a place, add to `copies`, let the copy go, stir.
 *  - arrive:  hold, take the copy off, subtract from `copies`.
 *  - let go:  clear the bit, then end it if it is unused.
 *  - end:     read `state`, see no bit and no copy, swap `state` for the own tag. Who swaps it frees all.
 *
 * The race prevented: bits and copies are several words. A user that the look has missed came from a
 * bit or a copy that was there when `state` was read, and has stirred since, so the swap fails.
 * Counts go on over the lives of an entry (`last`), so an old look never fits a new object; and a
 * handle with an old generation names nothing.
 *
 * Whoever changes `copies` has its bit set, and `copies` is never too low. So when an agent has died
 * between two steps, `copies` may be too high: its reaper, which finds its bit, marks the object doubtful,
 * and from then on, when nobody holds it, the copies themselves are looked at: nobody changes them then.
 *
 * Recovery: a bit is cleared last, so it pins the object while its reaper works on it, and a reaper
 * that dies is followed by one that finds it. What a death left unused, or left half made or half
 * ended, is found by looking at all entries. Everything that an object owns carries its mark
 * (`OBJECT_OWNER | index`), so ending it can be begun again.
 *
 * What is kept longer than it is needed: objects that hold each other by messages in them, and what was
 * in a message that died with its receiver, until what it came through ends.
 *
 * @module
 */
import type { Agent } from './agent.js'
import { type Arena, MAX_RECENT } from './arena.js'
import { type Copy, Copies } from './copies.js'
import {
  AGENT_SET_WORDS,
  AT,
  COPY_ADRIFT,
  ENTRY,
  ENTRY_FLAG,
  ENTRY_FREE,
  HEADER,
  OBJECT_OWNER,
  OBJECT_TYPE,
  UNIT_WORDS,
  entryWord,
} from './layout.js'
import { type Puncher, freePages } from './object-pages.js'

/** What it needs of the addon. */
export interface Memory extends Puncher {
  /** Tells the engine how much memory more a collection might free. */
  charge(byteLength: number): void
  /** There only where objects have memory of their own (`bare/blocks.ts`), which this ends. */
  readonly bare?: { readonly blocks: { ended(index: number): void } }
}

/** Recovers one object of a type after the death of an agent. Must bear being repeated. */
export type RecoverObject = (type: number, base: number) => void

/**
 * What an object counts for in this thread's heap: more than it has, so that the engine, which collects after some
 * 64 MB, does so long before the session has as many objects as it can have.
 */
const CHARGE_BYTES = 4096

const COUNT = 0x7fffffff
const THERE = ~COUNT

export class Lifetime {
  readonly #agent: Agent
  readonly #units: Arena
  readonly #pages: Arena | undefined
  readonly #memory: Memory | undefined
  readonly #copies: Copies
  /** Entries that this agent has freed, the last one last. Others may have taken them since. */
  readonly recent: number[] = []
  /** How many keepers in this thread each object has. One that has any is held. */
  readonly #keepers = new Map<number, number>()
  /** Objects that may have lost their last user while another was being ended. */
  readonly #unsettled: number[] = []
  #isEnding = false

  constructor(agent: Agent, units: Arena, pages?: Arena, memory?: Memory) {
    this.#agent = agent
    this.#units = units
    this.#pages = pages
    this.#memory = memory
    this.#copies = new Copies(agent)
  }

  /** Publishes an object that this agent has made, and holds it. Its entry carries our tag, its body is complete. */
  publish(index: number): number {
    const { words } = this.#agent
    const entry = entryWord(index)
    const generation = (Atomics.load(words, entry + ENTRY.last) + 1) & COUNT
    Atomics.store(words, entry + ENTRY.last, generation)
    Atomics.store(words, entry + ENTRY.generation, generation)
    Atomics.store(words, entry + ENTRY.copies, 0)
    for (let i = 0; i < AGENT_SET_WORDS; i++) Atomics.store(words, entry + ENTRY.holders + i, 0)
    this.#setBit(entry)
    this.keep(index)
    // SYNC: everything above is visible to whoever reads it. CRASH: before it, the entry carries our tag.
    Atomics.store(words, entry, THERE | generation)
    return generation
  }

  /** This agent comes to hold an object; false when that has ended. One keeper more. */
  hold(index: number, generation: number): boolean {
    if (!this.#join(index, generation)) return false
    this.keep(index)
    return true
  }

  /** One keeper more of an object that this agent holds. */
  keep(index: number): void {
    const keepers = this.#keepers.get(index) ?? 0
    this.#keepers.set(index, keepers + 1)
    if (keepers === 0) this.#memory?.charge(CHARGE_BYTES)
  }

  /** One keeper less; the last one lets go of the object. True if it was the last. */
  forget(index: number): boolean {
    const left = (this.#keepers.get(index) ?? 1) - 1
    if (left > 0) {
      this.#keepers.set(index, left)
      return false
    }
    this.#keepers.delete(index)
    this.#memory?.charge(-CHARGE_BYTES)
    this.#letGo(index)
    return true
  }

  /**
   * A copy leaves this agent, which holds the object.
   *
   * @param isTracked whether somebody will say where it goes, or take it back.
   */
  depart(index: number, isTracked: boolean): Copy {
    const { words, tag } = this.#agent
    const claimed = this.#copies.claim(index)
    // CRASH: dying from here on leaves `copies` too high, and our bit tells our reaper so.
    Atomics.add(words, entryWord(index) + ENTRY.copies, 1)
    const copy = this.#copies.send(claimed, isTracked ? tag : COPY_ADRIFT)
    this.#stir(index, -1)
    return copy
  }

  /** The copy travels through an object, and ends with it. */
  give(copy: Copy, through: number): void {
    Atomics.or(this.#agent.words, entryWord(through) + ENTRY.kind, ENTRY_FLAG.contains)
    // CRASH: dying after this, before it is in there, keeps it until `through` ends.
    this.#copies.give(copy, OBJECT_OWNER | through)
  }

  /** The copy has arrived at this agent, which holds the object by now. */
  arrive(copy: Copy, index: number): void {
    if (this.#copies.take(copy)) Atomics.sub(this.#agent.words, entryWord(index) + ENTRY.copies, 1)
  }

  /**
   * The copy will not arrive any more; does nothing when it has.
   *
   * @param isLost whether its receiver, or what it travelled through, is gone: others may wait for who would have it.
   */
  recall(copy: Copy, index: number, isLost: boolean): void {
    const { words } = this.#agent
    const entry = entryWord(index)
    const isHeld = this.#keepers.has(index)
    // Held meanwhile, like by everybody who changes `copies`. It cannot have ended if the copy is on its way.
    if (!isHeld && !this.#join(index, -1)) return
    const isTaken = this.#copies.take(copy)
    let kind = 0
    if (isTaken) {
      // CRASH: dying before it is marked: so does our reaper, which finds our bit.
      if (isLost) kind = Atomics.or(words, entry + ENTRY.kind, ENTRY_FLAG.lost)
      Atomics.sub(words, entry + ENTRY.copies, 1)
    }
    if (!isHeld) this.#clearBit(entry)
    // Whoever waits for others to come looks again, now that neither the copy nor our bit misleads it.
    if ((kind & 0xff) === OBJECT_TYPE.barrier) {
      Atomics.add(words, HEADER.deaths, 1)
      this.#agent.ringAll()
    }
    if (isHeld) return
    this.#unsettled.push(index)
    this.#settle()
  }

  /**
   * Whether an object has lost a user, and all that are left `hasCome` tells of, by their slots.
   *
   * A dead holder counts as lost before anybody has recovered it. Nobody else can come to hold the object then,
   * unless one of those who have come sends it on.
   */
  isForsaken(index: number, hasCome: (slot: number) => boolean): boolean {
    const { words } = this.#agent
    const entry = entryWord(index)
    const state = Atomics.load(words, entry)
    let isLost = (Atomics.load(words, entry + ENTRY.kind) & ENTRY_FLAG.lost) !== 0
    if (Atomics.load(words, entry + ENTRY.copies) !== 0 && this.#copies.hasAny(index)) return false
    const end = this.#agent.highSlot()
    for (let slot = 0; slot < end; slot++) {
      const bits = Atomics.load(words, entry + ENTRY.holders + (slot >>> 5))
      if ((bits & (1 << (slot & 31))) === 0) continue
      if (!this.#agent.isLive(slot)) isLost = true
      else if (!hasCome(slot)) return false
    }
    // SYNC: a copy that leaves or arrives while we look stirs. CRASH: a lost one is marked before it is taken off.
    return isLost && Atomics.load(words, entry) === state
  }

  /** Recovers everything after the death of an agent: what it held, what it had begun, what it had sent to nobody. */
  bury(slot: number, tag: number, recover: RecoverObject): void {
    const { words } = this.#agent
    const end = Atomics.load(words, HEADER.highEntry)
    const bit = 1 << (slot & 31)
    for (let index = 0; index < end; index++) {
      const entry = entryWord(index)
      const state = Atomics.load(words, entry)
      if (state === ENTRY_FREE) continue
      const holders = entry + ENTRY.holders + (slot >>> 5)
      if ((Atomics.load(words, holders) & bit) !== 0) {
        // Its bit keeps the object: nobody can end it, and use its words for another, under our hands.
        if (state < 0) this.#buryIn(entry, slot, recover)
        Atomics.and(words, holders, ~bit)
      }
      // Also what it, or a reaper, had let go of and did not get to end.
      if (state < 0) this.#endIfUnused(index)
      else if (state === tag) this.#free(index, true)
    }
    this.#copies.forEachOf(tag, (copy, object) => this.recall(copy, object, true))
    this.#settle()
  }

  #buryIn(entry: number, slot: number, recover: RecoverObject): void {
    const { words } = this.#agent
    const base = Atomics.load(words, entry + ENTRY.base)
    const sets = Atomics.load(words, entry + ENTRY.sets)
    const kind = Atomics.load(words, entry + ENTRY.kind)
    // A dead agent's bit would swallow a wake, or wake whoever takes its slot in its place.
    for (let i = 0; i < sets >>> 16; i++) {
      const set = base + (sets & 0xffff) + i * AGENT_SET_WORDS
      Atomics.and(words, set + (slot >>> 5), ~(1 << (slot & 31)))
    }
    recover(kind & 0xff, base)
    const isDoubtful = Atomics.load(words, entry + ENTRY.copies) !== 0
    const flags = ENTRY_FLAG.lost | (isDoubtful ? ENTRY_FLAG.doubtful : 0)
    Atomics.or(words, entry + ENTRY.kind, flags)
  }

  /** Sets our bit and stirs; undoes that when the object has ended. */
  #join(index: number, generation: number): boolean {
    this.#setBit(entryWord(index))
    if (this.#stir(index, generation)) return true
    // The entry may be another object's by now, which we must not keep, unless we hold that too.
    if (!this.#keepers.has(index)) this.#letGo(index)
    return false
  }

  /** Counts in `state`; false when the object has ended. A generation of −1 is whichever there is. */
  #stir(index: number, generation: number): boolean {
    const { words } = this.#agent
    const entry = entryWord(index)
    for (;;) {
      const state = Atomics.load(words, entry)
      if (state >= 0) return false
      if (generation !== -1 && Atomics.load(words, entry + ENTRY.generation) !== generation) {
        return false
      }
      if (Atomics.compareExchange(words, entry, state, (state + 1) | THERE) === state) return true
    }
  }

  #setBit(entry: number): void {
    const { words, slot } = this.#agent
    Atomics.or(words, entry + ENTRY.holders + (slot >>> 5), 1 << (slot & 31))
  }

  #clearBit(entry: number): void {
    const { words, slot } = this.#agent
    Atomics.and(words, entry + ENTRY.holders + (slot >>> 5), ~(1 << (slot & 31)))
  }

  #letGo(index: number): void {
    this.#clearBit(entryWord(index))
    this.#endIfUnused(index)
    this.#settle()
  }

  /** Ends what has lost its last user meanwhile; not from within itself, for chains may be long. */
  #settle(): void {
    if (this.#isEnding) return
    this.#isEnding = true
    try {
      for (;;) {
        const index = this.#unsettled.pop()
        if (index === undefined) return
        this.#endIfUnused(index)
      }
    } finally {
      this.#isEnding = false
    }
  }

  #endIfUnused(index: number): void {
    const { words, tag } = this.#agent
    const entry = entryWord(index)
    for (;;) {
      const state = Atomics.load(words, entry)
      if (state >= 0 || this.#isUsed(entry, index)) return
      this.#raiseLast(entry, state & COUNT)
      // CRASH: from here the entry names us: our reaper goes on where we stop.
      if (Atomics.compareExchange(words, entry, state, tag) !== state) continue
      this.#free(index, false)
      return
    }
  }

  #isUsed(entry: number, index: number): boolean {
    const { words } = this.#agent
    for (let i = 0; i < AGENT_SET_WORDS; i++) {
      if (Atomics.load(words, entry + ENTRY.holders + i) !== 0) return true
    }
    if (Atomics.load(words, entry + ENTRY.copies) === 0) return false
    const isDoubtful = (Atomics.load(words, entry + ENTRY.kind) & ENTRY_FLAG.doubtful) !== 0
    return !isDoubtful || this.#copies.hasAny(index)
  }

  /** The next object of the entry counts on from here. */
  #raiseLast(entry: number, count: number): void {
    const { words } = this.#agent
    for (;;) {
      const last = Atomics.load(words, entry + ENTRY.last)
      if ((count - last) << 1 <= 0) return
      if (Atomics.compareExchange(words, entry + ENTRY.last, last, count) === last) return
    }
  }

  /**
   * Frees all that is an object's, whose entry names who makes or ends it: this agent, or a dead one.
   *
   * @param isHalfMade whether its words may not say yet what it has.
   */
  #free(index: number, isHalfMade: boolean): void {
    const { words } = this.#agent
    const entry = entryWord(index)
    const mark = OBJECT_OWNER | index
    if ((Atomics.load(words, entry + ENTRY.kind) & ENTRY_FLAG.contains) !== 0) {
      this.#copies.forEachOf(mark, (copy, object) => this.#takeBackLater(copy, object))
    }
    if (isHalfMade) {
      this.#units.sweep(mark)
      this.#pages?.sweep(mark)
    } else {
      if (this.#pages !== undefined) freePages(words, index, this.#pages, this.#memory)
      const first = (Atomics.load(words, entry + ENTRY.base) - AT.units) / UNIT_WORDS
      this.#units.free(first, (Atomics.load(words, entry + ENTRY.kind) >>> 8) & 0xffff)
    }
    const isArray = (Atomics.load(words, entry + ENTRY.kind) & 0xff) === OBJECT_TYPE.array
    Atomics.store(words, entry + ENTRY.kind, 0)
    if (isArray) this.#memory?.bare?.blocks.ended(index)
    if (this.recent.length < MAX_RECENT) this.recent.push(index)
    else if (index < Atomics.load(words, HEADER.entryRotor)) {
      Atomics.store(words, HEADER.entryRotor, index)
    }
    Atomics.store(words, entry, ENTRY_FREE)
  }

  #takeBackLater(copy: Copy, object: number): void {
    const wasEnding = this.#isEnding
    this.#isEnding = true
    this.recall(copy, object, true)
    this.#isEnding = wasEnding
  }
}
