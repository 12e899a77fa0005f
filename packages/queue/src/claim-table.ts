/**
 * The table of an acknowledged queue's claims: one for each item that was taken and is not done.
 *
 * It lies in pages of the queue's own and grows by one at a time; the first is there from the start, so that
 * up to 4096 items can be taken also when the session's memory is full.
 *
 * @module
 */
import { PAGE_BYTES, type Session, givePages } from '@mp/shared-memory/internal'
import { CLAIM_PAGES, QUEUE } from './layout.js'

/**
 * A claim, 4 words.
 *
 * | word | name     | meaning                                                                                |
 * | ---- | -------- | -------------------------------------------------------------------------------------- |
 * | 0    | state    | see `CLAIM_STATE`, or the tag of the agent that has taken the item                     |
 * | 1    | number   | which item of the queue it is, modulo 2^31                                             |
 * | 2    | page     | the page of the ring that it lies in                                                   |
 * | 3    | delivery | bits 0–15: its record's offset there; 16–31: how often it was delivered, at most 65535 |
 */
export const CLAIM = { state: 0, number: 1, page: 2, delivery: 3 } as const
const CLAIM_WORDS = 4

/**
 * States of a claim that are no tags.
 *
 * | state    | meaning                                   | who leaves it                                              |
 * | -------- | ----------------------------------------- | ---------------------------------------------------------- |
 * | free     | no claim                                  | a taker in the readers' lock → its tag                     |
 * | returned | its taker has given the item back         | a taker in the readers' lock → its tag                     |
 * | a tag    | that agent has the item                   | the agent → free, returned; once it is dead, as `returned` |
 */
export const CLAIM_STATE = { free: 0, returned: -1 } as const

const PER_PAGE: number = PAGE_BYTES / (CLAIM_WORDS * 4)
/** How many items of one queue can be taken and not done at a time. */
export const MAX_CLAIMS: number = CLAIM_PAGES * PER_PAGE

export class ClaimTable {
  readonly #session: Session
  readonly #base: number
  readonly #index: number
  /** Each page of it as words, and where it starts in them. */
  readonly #pages: { readonly words: Int32Array; readonly at: number }[] = []

  /** @param base first word of the queue; `index` is its entry in the directory. */
  constructor(session: Session, base: number, index: number) {
    this.#session = session
    this.#base = base
    this.#index = index
  }

  /** Every claim that is not free lies below it; changed in the readers' lock. */
  get high(): number {
    return Atomics.load(this.#session.words, this.#base + QUEUE.claimsHigh)
  }

  set high(high: number) {
    Atomics.store(this.#session.words, this.#base + QUEUE.claimsHigh, high)
  }

  load(claim: number, field: number): number {
    const { words, at } = this.#page(claim)
    return Atomics.load(words, at + (claim % PER_PAGE) * CLAIM_WORDS + field)
  }

  store(claim: number, field: number, value: number): void {
    const { words, at } = this.#page(claim)
    Atomics.store(words, at + (claim % PER_PAGE) * CLAIM_WORDS + field, value)
  }

  /** Sees to it that there is a page for a claim; false when there is no memory for it. In the readers' lock. */
  reserve(claim: number): boolean {
    const { words, pages } = this.#session
    const word = this.#base + QUEUE.claimPages + Math.floor(claim / PER_PAGE)
    if (Atomics.load(words, word) !== 0) return true
    const page = pages.arena.take(1)
    if (page < 0) return false
    const start = pages.offset(page)
    pages.window(page).fill(0, start, start + PAGE_BYTES)
    givePages(words, pages.arena, this.#index, page, 1)
    // CRASH: before it, the page carries our tag or the queue's mark, and is freed with us or with the queue.
    Atomics.store(words, word, page + 1)
    return true
  }

  #page(claim: number): { readonly words: Int32Array; readonly at: number } {
    const n = Math.floor(claim / PER_PAGE)
    return (this.#pages[n] ??= this.#open(n))
  }

  #open(n: number): { readonly words: Int32Array; readonly at: number } {
    const { words, pages } = this.#session
    const page = Atomics.load(words, this.#base + QUEUE.claimPages + n) - 1
    return { words: pages.windowWords(page), at: pages.offset(page) >>> 2 }
  }
}
