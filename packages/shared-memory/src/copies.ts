/**
 * The copies of handles that are on their way: each has a place, and a number of that use of it.
 *
 * A message carries both. So a copy is taken off exactly once, whoever comes
 * first: its receiver, its sender that takes it back, or whoever ends what it
 * travelled through. The owner and the number change together, in one CAS of 64
 * bits; a place is free when it has no owner, and its number only grows.
 *
 * @module
 */
import type { Agent } from './agent.js'
import { raise } from './arena.js'
import { MultiprocessingError } from './errors.js'
import { AT, COPY, COPY_WORDS, HEADER, MAX_OBJECTS } from './layout.js'

/** A copy on its way: its place, and which use of it. */
export interface Copy {
  readonly place: number
  readonly use: number
}

const USES = 0x7fffffff

export class Copies {
  readonly #agent: Agent
  #pairs: BigInt64Array | undefined

  constructor(agent: Agent) {
    this.#agent = agent
  }

  /**
   * Takes a place for a copy of an object. It is not on its way yet.
   *
   * CRASH: the place carries our tag, and an even number: whoever sweeps after us frees it, and counts nothing.
   */
  claim(object: number): Copy {
    const { words, tag } = this.#agent
    const start = Atomics.load(words, HEADER.copyRotor) % MAX_OBJECTS
    for (let n = 0; n < MAX_OBJECTS; n++) {
      const place = (start + n) % MAX_OBJECTS
      if (this.owner(place) !== 0) continue
      raise(words, HEADER.highCopy, place + 1)
      const old = Atomics.load(words, at(place) + COPY.use)
      const use = ((old | 1) + 1) & USES
      if (!this.#swap(place, 0, old, tag, use)) continue
      Atomics.store(words, HEADER.copyRotor, place + 1)
      Atomics.store(words, at(place) + COPY.object, object)
      return { place, use }
    }
    throw new MultiprocessingError(
      'ERR_MP_TOO_MANY_IN_FLIGHT',
      `${MAX_OBJECTS} copies of handles are on their way in this session, which is its limit: ` +
        'receive what was sent before you send more, or raise MP_MAX_OBJECTS when you start the program',
    )
  }

  /** The copy is on its way, owned by `owner`. */
  send({ place, use }: Copy, owner: number): Copy {
    this.#swap(place, this.#agent.tag, use, owner, use + 1)
    return { place, use: use + 1 }
  }

  /** Hands the copy to another owner; does nothing when it has been taken off. */
  give({ place, use }: Copy, owner: number): void {
    this.#swap(place, this.owner(place), use, owner, use)
  }

  /** Takes the copy off its way; false when somebody has done so before. */
  take({ place, use }: Copy): boolean {
    const { words } = this.#agent
    for (;;) {
      const owner = this.owner(place)
      if (owner === 0 || Atomics.load(words, at(place) + COPY.use) !== use) return false
      if (!this.#swap(place, owner, use, 0, use)) continue
      if (place < Atomics.load(words, HEADER.copyRotor)) {
        Atomics.store(words, HEADER.copyRotor, place)
      }
      return true
    }
  }

  /** Calls `visit` for each copy of this owner that is on its way, and frees its places that have none. */
  forEachOf(owner: number, visit: (copy: Copy, object: number) => void): void {
    const { words } = this.#agent
    const end = Atomics.load(words, HEADER.highCopy)
    for (let place = 0; place < end; place++) {
      if (this.owner(place) !== owner) continue
      const use = Atomics.load(words, at(place) + COPY.use)
      if ((use & 1) === 0) this.#swap(place, owner, use, 0, use)
      else visit({ place, use }, Atomics.load(words, at(place) + COPY.object))
    }
  }

  /** Whether a copy of the object is on its way; looks at all of them. */
  hasAny(object: number): boolean {
    const { words } = this.#agent
    const end = Atomics.load(words, HEADER.highCopy)
    for (let place = 0; place < end; place++) {
      if (
        Atomics.load(words, at(place) + COPY.object) === object &&
        this.owner(place) !== 0 &&
        (Atomics.load(words, at(place) + COPY.use) & 1) !== 0
      ) {
        return true
      }
    }
    return false
  }

  owner(place: number): number {
    return Atomics.load(this.#agent.words, at(place) + COPY.owner)
  }

  #swap(place: number, owner: number, use: number, nextOwner: number, nextUse: number): boolean {
    const { words } = this.#agent
    this.#pairs ??= new BigInt64Array(
      words.buffer,
      words.byteOffset + AT.copies * 4,
      (MAX_OBJECTS * COPY_WORDS) / 2,
    )
    const old = pair(owner, use)
    const next = pair(nextOwner, nextUse)
    return Atomics.compareExchange(this.#pairs, (place * COPY_WORDS) / 2, old, next) === old
  }
}

function at(place: number): number {
  return AT.copies + place * COPY_WORDS
}

/** Words 0 and 1 of a place as one. */
function pair(owner: number, use: number): bigint {
  return (BigInt(use) << 32n) | BigInt(owner >>> 0)
}
