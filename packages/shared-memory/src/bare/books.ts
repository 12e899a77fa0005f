/**
 * Who of the threads holds which slot, where no kernel keeps that account.
 *
 * Words beside the session's own. A thread is known by a number: of those that `@mp/process` starts it is a
 * ticket, drawn before they start; of others it is their thread id. A thread that has ended is told by
 * `leave`, called by somebody who knows that it can store no more: the steward, whose line to it was
 * closed by the end of its environment, or who has seen its `exit` event.
 *
 * @module
 */
import { HEADER, MAX_AGENTS, SLOT, SLOT_STATE, slotWord } from '../layout.js'

/**
 * The books, in 32-bit words.
 *
 * | word  | name    | meaning                                                                                    |
 * | ----- | ------- | ------------------------------------------------------------------------------------------ |
 * | 0     | ready   | 1 once the steward listens                                                                 |
 * | 1     | tickets | the next ticket                                                                            |
 * | 8–    | rows    | a thread without a line and the one that started it, two words each; 0, 0: free            |
 * | 520–  | holders | a word a slot: 0 nobody has it · the number of its owner · the negative one of its reaper  |
 */
const ROWS_AT = 8
const HOLDERS_AT: number = ROWS_AT + 2 * MAX_AGENTS

export const BOOK: {
  readonly ready: number
  readonly tickets: number
  readonly rows: number
  readonly holders: number
} = { ready: 0, tickets: 1, rows: ROWS_AT, holders: HOLDERS_AT }
export const BOOK_BYTES: number = (BOOK.holders + MAX_AGENTS) * 4

/** Tickets are above all thread ids. */
export const FIRST_TICKET: number = 1 << 20
/** The number of the steward. */
export const STEWARD = 0x7fffffff

/** Takes a slot, as its owner (`who`) or its reaper (`-who`); false when somebody has it. */
export function takeSlot(books: Int32Array, slot: number, who: number): boolean {
  return Atomics.compareExchange(books, BOOK.holders + slot, 0, who) === 0
}

/** Gives it back; false when it is not theirs. */
export function giveSlot(books: Int32Array, slot: number, who: number): boolean {
  return Atomics.compareExchange(books, BOOK.holders + slot, who, 0) === who
}

/** Whether no living thread owns the slot. */
export function isUnowned(books: Int32Array, slot: number): boolean {
  return Atomics.load(books, BOOK.holders + slot) <= 0
}

/**
 * Notes who started a thread without a line, so that it is not forgotten with that one.
 *
 * CRASH: dying between the stores leaves a row that names no starter. The thread owns no slot yet, and whoever
 * sees it end frees the row.
 *
 * @returns false when there is no room: then only its starter tells of its end.
 */
export function noteStarter(books: Int32Array, who: number, starter: number): boolean {
  for (let row = BOOK.rows; row < BOOK.holders; row += 2) {
    if (Atomics.compareExchange(books, row, 0, who) !== 0) continue
    Atomics.store(books, row + 1, starter)
    return true
  }
  return false
}

/**
 * Marks what a thread had that has ended, and what those had that it had started: they ended before it.
 *
 * SYNC: two may tell of one thread, its starter and the steward: who swaps its number for their own claim marks the slot,
 * and nobody can reap it, and take it anew, under their hands. CRASH: dying before the mark leaves a claim of ours, which is
 * cleared in turn; the slot can be claimed then, and that proves the death.
 *
 * @param by the number of the thread that tells.
 * @returns whether a slot was among it: then a death is to be announced.
 */
export function leave(words: Int32Array, books: Int32Array, who: number, by: number): boolean {
  let died = false
  for (let slot = 0; slot < MAX_AGENTS; slot++) {
    const holder = BOOK.holders + slot
    Atomics.compareExchange(books, holder, -who, 0)
    if (Atomics.compareExchange(books, holder, who, -by) !== who) continue
    markGone(words, slot)
    giveSlot(books, slot, -by)
    died = true
  }
  for (let row = BOOK.rows; row < BOOK.holders; row += 2) {
    const thread = Atomics.load(books, row)
    if (thread === 0) continue
    if (thread !== who && Atomics.load(books, row + 1) === who && leave(words, books, thread, by)) {
      died = true
    }
    if (thread !== who) continue
    Atomics.store(books, row + 1, 0)
    Atomics.store(books, row, 0)
  }
  return died
}

/** Stores the gone state under the generation that is there; a free slot stays free. */
function markGone(words: Int32Array, slot: number): void {
  const at = slotWord(slot) + SLOT.state
  for (;;) {
    const state = Atomics.load(words, at)
    if ((state & 0xff) === SLOT_STATE.free) return
    const gone = (state & ~0xff) | SLOT_STATE.gone
    if (Atomics.compareExchange(words, at, state, gone) === state) return
  }
}

/** Counts a death and rings everybody. */
export function announceDeath(words: Int32Array): void {
  // SYNC: after the slots were given back: whoever this wakes can claim them.
  Atomics.add(words, HEADER.deaths, 1)
  ringAll(words)
}

/** Rings every slot that is not free, whether it looks asleep or not. */
export function ringAll(words: Int32Array): void {
  for (let slot = 0; slot < MAX_AGENTS; slot++) {
    const at = slotWord(slot)
    if ((Atomics.load(words, at + SLOT.state) & 0xff) === SLOT_STATE.free) continue
    Atomics.add(words, at + SLOT.bell, 1)
    Atomics.notify(words, at + SLOT.bell)
  }
}
