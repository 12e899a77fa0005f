/**
 * Reaping: what the living do for the dead.
 *
 * Death is proved by the liveness byte, which the kernel frees once no thread of
 * the process can store any more; taking the byte is both the proof and the
 * claim to be the only reaper. Then, always in this order: mark the slot dead,
 * recover what it held, ring everybody, free the slot. Each step can be repeated,
 * so a reaper that dies is simply followed by another.
 *
 * @module
 */
import type { Agent } from './agent.js'
import type { Arena } from './arena.js'
import type { Directory } from './directory.js'
import { AT, GRAVES, GRAVE_WORDS, HEADER, SLOT, SLOT_STATE, slotWord } from './layout.js'
import { makeTag, packState, tagSlot } from './tag.js'

/** What a reaper needs of the operating system. */
export interface Coroner {
  /** Takes the liveness byte of a slot if its owner is dead and nobody else reaps it. */
  claim(slot: number): boolean
  unclaim(slot: number): void
}

/** Recovers one object of a type after the death of an agent. Must bear being repeated. */
export type Recover = (base: number, slot: number, tag: number) => void

/** How an agent ended. */
export interface Death {
  readonly pid: number
  /** `killed`: without warning; `exited`: in or after its `exit` event; `ended`: its thread ended, the process goes on. */
  readonly reason: 'killed' | 'exited' | 'ended'
}

export class Reaper {
  readonly #agent: Agent
  readonly #coroner: Coroner
  readonly #directory: Directory
  readonly #arenas: readonly Arena[]
  readonly recoverers: Map<number, Recover> = new Map()
  /** Watches over those whose watcher has died; true when it has met somebody dead. See `death-watch.ts`. */
  adoptOrphans: () => boolean = () => false
  /** Called for each slot reaped, before it is freed: with its tag and pid. */
  onReaped: (tag: number, pid: number) => void = () => {}

  constructor(agent: Agent, coroner: Coroner, directory: Directory, arenas: readonly Arena[]) {
    this.#agent = agent
    this.#coroner = coroner
    this.#directory = directory
    this.#arenas = arenas
  }

  /** Reaps every agent that is dead now, and sees to it that those who live are watched. */
  reapAll(): void {
    // What an orphan held that died before it could be adopted has to be recovered as well, and so on.
    this.#sweep()
    while (this.adoptOrphans() && this.#sweep());
  }

  /** How the dead agent with this tag ended; undefined when more than 64 others have died since. */
  lookUp(tag: number): Death | undefined {
    // It is in its slot until it is in its grave, and may be moved while we look.
    return this.#inGrave(tag) ?? this.#inSlot(tag) ?? this.#inGrave(tag)
  }

  #inGrave(tag: number): Death | undefined {
    const { words } = this.#agent
    for (let grave = 0; grave < GRAVES; grave++) {
      const at = AT.graves + grave * GRAVE_WORDS
      if (Atomics.load(words, at) !== tag) continue
      const pid = Atomics.load(words, at + 1)
      const state = Atomics.load(words, at + 2)
      // Somebody else is being buried there just now.
      if (Atomics.load(words, at + 3) !== (tag ^ pid ^ state)) continue
      return { pid, reason: reasonOf(state) }
    }
    return undefined
  }

  /** One that nobody has reaped yet. */
  #inSlot(tag: number): Death | undefined {
    const { words } = this.#agent
    const at = slotWord(tagSlot(tag))
    const pid = Atomics.load(words, at + SLOT.pid)
    const state = Atomics.load(words, at + SLOT.state)
    // SYNC: a successor changes the state before it stores its pid.
    if (state !== packState(tag >>> 12, SLOT_STATE.gone)) return undefined
    return { pid, reason: reasonOf(state & 0xff) }
  }

  /** Reaps the dead; true when there was one. */
  #sweep(): boolean {
    let reaped = false
    const end = this.#agent.highSlot()
    for (let slot = 0; slot < end; slot++) {
      if (slot !== this.#agent.slot && this.#isUsed(slot) && this.#reap(slot)) reaped = true
    }
    return reaped
  }

  #isUsed(slot: number): boolean {
    return (Atomics.load(this.#agent.words, slotWord(slot) + SLOT.state) & 0xff) !== SLOT_STATE.free
  }

  #reap(slot: number): boolean {
    if (!this.#coroner.claim(slot)) return false
    try {
      // Another reaper may have finished between our look and our claim.
      if (!this.#isUsed(slot)) return false
      this.#recover(slot)
      return true
    } finally {
      this.#coroner.unclaim(slot)
    }
  }

  #recover(slot: number): void {
    const { words } = this.#agent
    const at = slotWord(slot)
    const word = Atomics.load(words, at + SLOT.state)
    const generation = word >>> 8
    const tag = makeTag(slot, generation)
    const pid = Atomics.load(words, at + SLOT.pid)
    if ((word & 0xff) !== SLOT_STATE.dead) this.#bury(tag, pid, word & 0xff)
    // CRASH: a reaper that dies from here on leaves `dead` and a free byte: the next one starts over.
    Atomics.store(words, at + SLOT.state, packState(generation, SLOT_STATE.dead))
    this.#directory.lifetime.bury(slot, tag, (type, base) =>
      this.recoverers.get(type)?.(base, slot, tag),
    )
    for (const arena of this.#arenas) arena.sweep(tag)
    this.onReaped(tag, pid)
    Atomics.store(words, at + SLOT.parked, 0)
    Atomics.and(words, HEADER.memory + (slot >>> 5), ~(1 << (slot & 31)))
    // SYNC: before the rings: whoever looked when the death was first reported saw an agent that was not dead yet,
    // and an asynchronous waiter that nobody woke looks again only when there is a death that it does not know.
    Atomics.add(words, HEADER.deaths, 1)
    this.#agent.ringAll()
    Atomics.store(words, at + SLOT.state, packState(generation, SLOT_STATE.free))
  }

  #bury(tag: number, pid: number, state: number): void {
    const { words } = this.#agent
    const at = AT.graves + ((Atomics.add(words, HEADER.graves, 1) >>> 0) % GRAVES) * GRAVE_WORDS
    Atomics.store(words, at, 0)
    Atomics.store(words, at + 1, pid)
    Atomics.store(words, at + 2, state)
    // SYNC: with a reaper that sleeps here until 64 others are dead, two may write to one grave; the last word tells.
    Atomics.store(words, at + 3, tag ^ pid ^ state)
    Atomics.store(words, at, tag)
  }
}

function reasonOf(state: number): Death['reason'] {
  if (state === SLOT_STATE.exiting) return 'exited'
  return state === SLOT_STATE.gone ? 'ended' : 'killed'
}
