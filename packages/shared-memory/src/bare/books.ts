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
 * | 8–    | rows    | a thread without a line, and the one that started it: two words each                      |
 * | 520–  | holders | a word a slot: 0 nobody has it · the number of its owner · the negative one of its claimer |
 *
 * A row, and who leaves its state:
 *
 * | thread, starter | meaning                        | who leaves it                                               |
 * | --------------- | ------------------------------ | ----------------------------------------------------------- |
 * | 0, 0            | free                           | any thread, by a CAS of the starter                         |
 * | 0, s            | being noted, or being freed    | who is noted, by a store; who frees; who tells of s's end   |
 * | t, s            | s has started t                | who tells of t's end or of s's, by a CAS of the thread      |
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
 * SYNC: the starter lives at least until the thread that it has started has ended, so nobody tells of its end meanwhile.
 * CRASH: dying between the two leaves a row of no thread. The thread owns no slot yet; the row is free again when the starter ends.
 *
 * @returns false when there is no room: then only its starter tells of its end.
 */
export function noteStarter(books: Int32Array, who: number, starter: number): boolean {
  // The session's maker has nobody above it that could tell.
  if (starter === 0) return true
  for (let row = BOOK.rows; row < BOOK.holders; row += 2) {
    if (Atomics.compareExchange(books, row + 1, 0, starter) !== 0) continue
    Atomics.store(books, row, who)
    return true
  }
  return false
}

/**
 * Marks what a thread had that has ended, and what those had that it had started: they ended before it.
 *
 * SYNC: two may tell of one thread, its starter and the steward: who swaps its number for their own claim marks the slot,
 * and nobody can reap it, and take it anew, under their hands. CRASH: dying before the mark leaves a claim of ours, which is
 * cleared in turn; the slot can be claimed then, and that proves the death. Who was told meanwhile has found our claim, and
 * sleeps again: so that a claim was cleared is to be announced like a death.
 *
 * @param by the number of the thread that tells.
 * @returns whether a slot or a claim was among it: then a death is to be announced.
 */
export function leave(words: Int32Array, books: Int32Array, who: number, by: number): boolean {
  let died = false
  for (let slot = 0; slot < MAX_AGENTS; slot++) {
    const holder = BOOK.holders + slot
    if (Atomics.compareExchange(books, holder, -who, 0) === -who) died = true
    if (Atomics.compareExchange(books, holder, who, -by) !== who) continue
    markGone(words, slot)
    giveSlot(books, slot, -by)
    died = true
  }
  for (let row = BOOK.rows; row < BOOK.holders; row += 2) {
    if (leaveRow(words, books, row, who, by)) died = true
  }
  return died
}

/**
 * SYNC: a row can be freed by another who tells, and taken anew, between any two steps. Numbers never come again, and who
 * takes it is started by one who lives: so a row that names the dead, as thread or starter, is the one that it seems to be,
 * and each CAS changes that one or none. CRASH: dying between the two of a thread's row leaves one of no thread; whoever
 * else tells, or tells of the starter later, frees it.
 */
function leaveRow(
  words: Int32Array,
  books: Int32Array,
  row: number,
  who: number,
  by: number,
): boolean {
  const thread = Atomics.load(books, row)
  const starter = Atomics.load(books, row + 1)
  if (starter === who) {
    const died = thread !== 0 && leave(words, books, thread, by)
    Atomics.compareExchange(books, row + 1, who, 0)
    return died
  }
  if (thread === who && Atomics.compareExchange(books, row, who, 0) === who) {
    Atomics.compareExchange(books, row + 1, starter, 0)
  }
  return false
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
