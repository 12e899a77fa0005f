/**
 * How a reader takes the pages of a long message out of a ring, so that its death at any step neither loses them nor
 * frees them under somebody.
 *
 * Pages of a message in a ring carry the mark of the ring's object; those of a message that was taken, the tag of who
 * took it: its reaper frees them, and the end of the object does not. The two change hands around the commit of the
 * readers' side, all in its lock:
 *
 *  1. write down who takes which pages, and at which head (`taking` last);
 *  2. change each page from the mark to the own tag;
 *  3. commit: the head moves on;
 *  4. clear `taking`.
 *
 * Death after 3: the pages carry the dead agent's tag, and are its reaper's to free.
 *
 * Death before 3: the message is still the first one, but pages of it carry the tag of a dead agent. The reaper gives
 * them back to the object before it frees what carries that tag (`recoverTakings`), and so does whoever comes first to
 * take the message, before it writes itself down. Both change the same words by the same CAS, from that tag to the
 * mark, so it does not matter who does it, or how often. Once `taking` names another, nothing is left to change: no
 * page of the message carries the dead agent's tag, and no agent ever gets that tag again. So a reaper that comes late
 * changes nothing.
 *
 * @module
 */
import type { Arena } from '../arena.js'
import { AT, OBJECT_TYPE, UNIT_WORDS } from '../layout.js'
import type { Reaper } from '../reaper.js'
import { recoverDeliveries } from './delivery.js'
import { RING, RING_WORDS } from './layout.js'

/** How many rings the objects of a type have: their words are the first ones of its body. */
const RINGS_OF_TYPE: ReadonlyMap<number, number> = new Map([
  [OBJECT_TYPE.queue, 1],
  [OBJECT_TYPE.pipe, 2],
  [OBJECT_TYPE.pool, 2],
])

export class Taking {
  readonly #words: Int32Array
  readonly #ring: number
  readonly #pages: Arena
  readonly #mark: number
  readonly #tag: number

  /**
   * @param ring first word of the ring.
   * @param mark of the object that the ring is part of.
   * @param tag of this agent.
   */
  constructor(words: Int32Array, ring: number, pages: Arena, mark: number, tag: number) {
    this.#words = words
    this.#ring = ring
    this.#pages = pages
    this.#mark = mark
    this.#tag = tag
  }

  /**
   * Makes the first message's pages this agent's; in the readers' lock, before the commit.
   *
   * @param head the readers' commit word.
   * @returns false when they are not the ring's: the record is corrupt. Nothing has changed then.
   */
  begin(head: number, page: number, count: number): boolean {
    const words = this.#words
    const ring = this.#ring
    // CRASH: somebody died here (or this agent was cut short, by an overflow of its stack): first of all as it was.
    const old = Atomics.load(words, ring + RING.taking)
    if (old !== 0) giveBack(words, ring, this.#pages, this.#mark, old)
    Atomics.store(words, ring + RING.taking, 0)
    Atomics.store(words, ring + RING.takingHead, head)
    Atomics.store(words, ring + RING.takingPage, page)
    Atomics.store(words, ring + RING.takingPages, count)
    // CRASH: from here on our reaper knows what to give back; before, none of it carries our tag.
    Atomics.store(words, ring + RING.taking, this.#tag)
    for (let i = 0; i < count; i++) {
      if (this.#pages.swap(page + i, this.#mark, this.#tag)) continue
      while (--i >= 0) this.#pages.swap(page + i, this.#tag, this.#mark)
      this.end()
      return false
    }
    return true
  }

  /** In the lock, after the commit. CRASH: before it: the head has moved on, so nobody gives anything back. */
  end(): void {
    Atomics.store(this.#words, this.#ring + RING.taking, 0)
  }
}

/** Has a reaper give back to rings what a dead agent was taking, before it frees what carries the dead agent's tag. */
export function recoverTakings(
  { recoverers }: Reaper,
  words: Int32Array,
  units: Arena,
  pages: Arena,
): void {
  for (const [type, rings] of RINGS_OF_TYPE) {
    // May run beside readers, and be repeated.
    recoverers.set(type, (base, slot, tag) => {
      const mark = units.owner((base - AT.units) / UNIT_WORDS)
      for (let n = 0; n < rings; n++) {
        giveBack(words, base + n * RING_WORDS, pages, mark, tag)
        recoverDeliveries(words, base + n * RING_WORDS, slot)
      }
    })
  }
}

function giveBack(words: Int32Array, ring: number, pages: Arena, mark: number, tag: number): void {
  const page = Atomics.load(words, ring + RING.takingPage)
  const count = Atomics.load(words, ring + RING.takingPages)
  const isTaken =
    Atomics.load(words, ring + RING.takingHead) !== Atomics.load(words, ring + RING.head)
  // SYNC: looked at last. Whoever takes next clears it before it writes other pages down: so these are the dead agent's.
  if (Atomics.load(words, ring + RING.taking) !== tag || isTaken) return
  // SYNC: if somebody takes the message meanwhile, it has given back all of them before.
  if (!pages.has(page, count)) return
  for (let i = 0; i < count; i++) pages.swap(page + i, tag, mark)
}
