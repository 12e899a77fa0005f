/**
 * The directory of shared objects: what a handle (index, generation) points to.
 *
 * An entry is made by a CAS from free to the maker's tag, filled, and published
 * by one store: a maker that dies before leaves an entry signed by a dead agent,
 * which the reaper frees. `lifetime.ts` has who holds an object, and when it ends.
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
  HEADER,
  MAX_OBJECTS,
  NO_PAGES,
  OBJECT_OWNER,
  UNITS,
  UNIT_WORDS,
  entryWord,
} from './layout.js'
import { Lifetime } from './lifetime.js'

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
  readonly lifetime: Lifetime
  readonly #agent: Agent
  readonly #units: Arena

  constructor(agent: Agent, units: Arena, lifetime: Lifetime = new Lifetime(agent, units)) {
    this.lifetime = lifetime
    this.#agent = agent
    this.#units = units
  }

  /**
   * Makes an object whose words are zero but for what `init` stores; nobody sees it before.
   *
   * It has one keeper in this thread: `lifetime.forget` lets go of it.
   */
  create(shape: ObjectShape, init: (base: number) => void): ObjectHandle {
    const { words } = this.#agent
    const length = Math.ceil(shape.words / UNIT_WORDS)
    const index = this.#takeEntry()
    const entry = entryWord(index)
    const first = this.#units.take(length)
    if (first < 0) {
      Atomics.store(words, entry, ENTRY_FREE)
      throw new OutOfSharedMemoryError(
        `The session's ${UNITS} units of words for shared objects are in use, and this one takes ` +
          `${length} next to each other; ${HOW_TO_HAVE_ROOM}`,
      )
    }
    this.#units.give(first, length, OBJECT_OWNER | index)
    const base = AT.units + first * UNIT_WORDS
    words.fill(0, base, base + length * UNIT_WORDS)
    Atomics.store(words, entry + ENTRY.kind, shape.type | (length << 8))
    Atomics.store(words, entry + ENTRY.base, base)
    Atomics.store(words, entry + ENTRY.sets, (shape.sets ?? 0) | ((shape.setCount ?? 0) << 16))
    Atomics.store(words, entry + ENTRY.pages, NO_PAGES)
    init(base)
    return { index, generation: this.lifetime.publish(index), base }
  }

  /** Finds the object behind a handle that came from elsewhere, and holds it: one keeper more. */
  open(type: number, index: number, generation: number): ObjectHandle {
    const { words } = this.#agent
    const entry = entryWord(index)
    if (
      !Number.isInteger(index) ||
      index < 0 ||
      index >= MAX_OBJECTS ||
      (Atomics.load(words, entry + ENTRY.kind) & 0xff) !== type ||
      !this.lifetime.hold(index, generation)
    ) {
      throw new MultiprocessingError(
        'ERR_MP_STALE_HANDLE',
        'The shared object behind this handle is gone: nobody held it any more',
      )
    }
    return { index, generation, base: Atomics.load(words, entry + ENTRY.base) }
  }

  /** Calls `visit` with the entry of each object there is. */
  forEach(visit: (entry: number, type: number, base: number) => void): void {
    const { words } = this.#agent
    const end = Atomics.load(words, HEADER.highEntry)
    for (let index = 0; index < end; index++) {
      const entry = entryWord(index)
      if (Atomics.load(words, entry) >= 0) continue
      const type = Atomics.load(words, entry + ENTRY.kind) & 0xff
      visit(entry, type, Atomics.load(words, entry + ENTRY.base))
    }
  }

  #takeEntry(): number {
    const { words, tag } = this.#agent
    const { recent } = this.lifetime
    for (let index = recent.pop(); index !== undefined; index = recent.pop()) {
      if (Atomics.compareExchange(words, entryWord(index), ENTRY_FREE, tag) === ENTRY_FREE) {
        return index
      }
    }
    const start = Atomics.load(words, HEADER.entryRotor) % MAX_OBJECTS
    for (let n = 0; n < MAX_OBJECTS; n++) {
      const index = (start + n) % MAX_OBJECTS
      // CRASH: the mark is raised before the entry is taken, so a reaper never misses one.
      raise(words, HEADER.highEntry, index + 1)
      if (Atomics.compareExchange(words, entryWord(index), ENTRY_FREE, tag) === ENTRY_FREE) {
        Atomics.store(words, HEADER.entryRotor, index + 1)
        return index
      }
    }
    throw new OutOfSharedMemoryError(
      `The session holds ${MAX_OBJECTS} shared objects, which is its limit; ${HOW_TO_HAVE_ROOM}`,
    )
  }
}

/** The session cannot grow, and objects are not collected while the event loop has no turn. */
const HOW_TO_HAVE_ROOM =
  'what is no longer reachable is freed when the event loop gets a turn, so let it have one (await a timer or ' +
  'a message), or close() what is done with; or raise MP_MAX_OBJECTS when you start the program'
