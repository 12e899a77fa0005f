/**
 * The directory of shared objects: what a handle (index, generation) points to.
 *
 * An entry is made by a CAS from free to the maker's tag, filled, and published
 * by storing ready: a maker that dies before leaves an entry signed by a dead
 * agent, which the reaper frees.
 *
 * @module
 */
import type { Agent } from './agent.js'
import { type Arena, raise } from './arena.js'
import { MultiprocessingError, OutOfSharedMemoryError } from './errors.js'
import {
  AT,
  ENTRY,
  ENTRY_FREE,
  ENTRY_READY,
  ENTRY_WORDS,
  HEADER,
  MAX_OBJECTS,
  OBJECT_OWNER,
  UNIT_WORDS,
} from './layout.js'

/** What to make: an `OBJECT_TYPE`, how many words, and where its wait sets stand in them. */
export interface ObjectShape {
  readonly type: number
  readonly words: number
  /** Word of the first wait set, relative to the body; the sets follow each other. */
  readonly sets?: number
  readonly setCount?: number
}

/** Names an object across the session. */
export interface ObjectHandle {
  readonly index: number
  readonly generation: number
  /** First word of its body. */
  readonly base: number
}

export class Directory {
  readonly #agent: Agent
  readonly #units: Arena

  constructor(agent: Agent, units: Arena) {
    this.#agent = agent
    this.#units = units
  }

  /** Makes an object whose words are zero but for what `init` stores; nobody sees it before. */
  create(shape: ObjectShape, init: (base: number) => void): ObjectHandle {
    const { words, tag } = this.#agent
    const length = Math.ceil(shape.words / UNIT_WORDS)
    const index = this.#takeEntry()
    const entry = entryWord(index)
    const first = this.#units.take(length)
    if (first < 0) {
      Atomics.store(words, entry, ENTRY_FREE)
      throw new OutOfSharedMemoryError(
        'The session has no room for another shared object; end processes that hold objects, or use fewer',
      )
    }
    this.#units.give(first, length, OBJECT_OWNER | index)
    const base = AT.units + first * UNIT_WORDS
    words.fill(0, base, base + length * UNIT_WORDS)
    const generation = (Atomics.load(words, entry + ENTRY.generation) + 1) | 0
    Atomics.store(words, entry + ENTRY.type, shape.type)
    Atomics.store(words, entry + ENTRY.base, base)
    Atomics.store(words, entry + ENTRY.units, length)
    Atomics.store(words, entry + ENTRY.generation, generation)
    Atomics.store(words, entry + ENTRY.creator, tag)
    Atomics.store(words, entry + ENTRY.sets, base + (shape.sets ?? 0))
    Atomics.store(words, entry + ENTRY.setCount, shape.setCount ?? 0)
    init(base)
    this.#hold(entry)
    // SYNC: everything above is visible to whoever reads ready. CRASH: before it, the entry carries our tag.
    Atomics.store(words, entry, ENTRY_READY)
    return { index, generation, base }
  }

  /** Finds the object behind a handle that came from elsewhere. */
  open(type: number, index: number, generation: number): ObjectHandle {
    const { words } = this.#agent
    const entry = entryWord(index)
    if (
      !Number.isInteger(index) ||
      index < 0 ||
      index >= MAX_OBJECTS ||
      Atomics.load(words, entry) !== ENTRY_READY ||
      Atomics.load(words, entry + ENTRY.generation) !== generation ||
      Atomics.load(words, entry + ENTRY.type) !== type
    ) {
      throw new MultiprocessingError(
        'ERR_MP_STALE_HANDLE',
        'The shared object behind this handle is gone, or belongs to another session',
      )
    }
    this.#hold(entry)
    return { index, generation, base: Atomics.load(words, entry + ENTRY.base) }
  }

  /** Frees an object that its package knows to be used by nobody. */
  destroy(handle: ObjectHandle): void {
    const { words, tag } = this.#agent
    const entry = entryWord(handle.index)
    // CRASH: from here the entry is an unfinished one of ours, and its units are the object's: the reaper frees both.
    if (Atomics.compareExchange(words, entry, ENTRY_READY, tag) !== ENTRY_READY) return
    this.#free(entry)
  }

  /** Frees what a dead agent had begun to make or to destroy. */
  sweep(deadTag: number): void {
    const { words } = this.#agent
    const end = Atomics.load(words, HEADER.highEntry)
    for (let index = 0; index < end; index++) {
      if (Atomics.load(words, entryWord(index)) !== deadTag) continue
      this.#units.sweep(OBJECT_OWNER | index)
      Atomics.store(words, entryWord(index), ENTRY_FREE)
    }
  }

  /** Calls `visit` with the entry of each object there is. */
  forEach(visit: (entry: number, type: number, base: number) => void): void {
    const { words } = this.#agent
    const end = Atomics.load(words, HEADER.highEntry)
    for (let index = 0; index < end; index++) {
      const entry = entryWord(index)
      if (Atomics.load(words, entry) !== ENTRY_READY) continue
      visit(entry, Atomics.load(words, entry + ENTRY.type), Atomics.load(words, entry + ENTRY.base))
    }
  }

  #takeEntry(): number {
    const { words, tag } = this.#agent
    const start = Atomics.load(words, HEADER.entryRotor) % MAX_OBJECTS
    for (let n = 0; n < MAX_OBJECTS; n++) {
      const index = (start + n) % MAX_OBJECTS
      raise(words, HEADER.highEntry, index + 1)
      if (Atomics.compareExchange(words, entryWord(index), ENTRY_FREE, tag) === ENTRY_FREE) {
        Atomics.store(words, HEADER.entryRotor, index + 1)
        return index
      }
    }
    throw new OutOfSharedMemoryError(
      `The session holds ${MAX_OBJECTS} shared objects, which is its limit`,
    )
  }

  #free(entry: number): void {
    const { words } = this.#agent
    const first = (Atomics.load(words, entry + ENTRY.base) - AT.units) / UNIT_WORDS
    this.#units.free(first, Atomics.load(words, entry + ENTRY.units))
    for (let i = 0; i < 8; i++) Atomics.store(words, entry + ENTRY.holders + i, 0)
    const index = (entry - AT.directory) / ENTRY_WORDS
    if (index < Atomics.load(words, HEADER.entryRotor))
      Atomics.store(words, HEADER.entryRotor, index)
    Atomics.store(words, entry, ENTRY_FREE)
  }

  #hold(entry: number): void {
    const { words, slot } = this.#agent
    Atomics.or(words, entry + ENTRY.holders + (slot >>> 5), 1 << (slot & 31))
  }
}

function entryWord(index: number): number {
  return AT.directory + index * ENTRY_WORDS
}
