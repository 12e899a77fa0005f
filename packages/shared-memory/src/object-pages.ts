/**
 * Which data pages an object has: those with its mark.
 *
 * They are found by the mark, so none is missed: also one that a dead agent had
 * taken for a queue and not put into it, or had taken out and not freed. The entry
 * says between which pages to look.
 *
 * @module
 */
import type { Arena } from './arena.js'
import { CONTROL_BYTES, ENTRY, NO_PAGES, OBJECT_OWNER, PAGE_BYTES, entryWord } from './layout.js'

/** Gives memory back to the system. */
export interface Puncher {
  punch(byteOffset: number, byteLength: number): void
}

/** Runs at least this long go back to the system when they are freed, and come zeroed from it. */
export const PUNCH_PAGES = 16

/** An entry has 16 bits for the first page and for the last. */
const GRAIN_PAGES = 4

/** Gives pages that this agent has taken to an object that it holds, or makes. */
export function givePages(
  words: Int32Array,
  arena: Arena,
  index: number,
  first: number,
  count: number,
): void {
  const word = entryWord(index) + ENTRY.pages
  const low = Math.floor(first / GRAIN_PAGES)
  const high = Math.floor((first + count - 1) / GRAIN_PAGES)
  for (;;) {
    const old = Atomics.load(words, word)
    const next = Math.min(old & 0xffff, low) | (Math.max(old >>> 16, high) << 16)
    if (old === next || Atomics.compareExchange(words, word, old, next) === old) break
  }
  // CRASH: pages not given yet carry our tag, given ones the object's mark, and the entry names them already: the
  // reaper frees the former, whoever ends the object the latter.
  arena.give(first, count, OBJECT_OWNER | index)
}

/** Frees the pages of an object that is being ended. It may have given back some, and others taken those. */
export function freePages(
  words: Int32Array,
  index: number,
  arena: Arena,
  system: Puncher | undefined,
): void {
  const range = Atomics.load(words, entryWord(index) + ENTRY.pages)
  if (range === NO_PAGES) return
  const mark = OBJECT_OWNER | index
  const end = ((range >>> 16) + 1) * GRAIN_PAGES
  for (let page = (range & 0xffff) * GRAIN_PAGES; page < end; page++) {
    if (arena.owner(page) !== mark) continue
    let last = page + 1
    while (last < end && arena.owner(last) === mark) last++
    if (last - page >= PUNCH_PAGES) {
      system?.punch(CONTROL_BYTES + page * PAGE_BYTES, (last - page) * PAGE_BYTES)
    }
    arena.free(page, last - page)
    page = last
  }
}
