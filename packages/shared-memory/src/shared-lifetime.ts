/**
 * When a shared object ends: once no agent holds it and no copy of it is on its way.
 *
 * Who holds it is a bit for each agent, in the directory's entry; a dead agent's
 * bit is cleared by the reaper. A copy in flight is counted: by its sender before
 * it can be sent, back by its receiver after it holds the object. All errors of
 * that count (a message that never arrives, a process that dies in between) keep
 * the object until the session ends; none of them ends it for an agent that holds it.
 *
 * To end it, an agent reads `life`, finds no user, and swaps `life` for `~tag`.
 * Each copy that leaves or arrives changes `life` while it is held on one side, so
 * the swap fails if a user came that the look has missed.
 *
 * @module
 */
import type { ObjectHandle } from './directory.js'
import { MultiprocessingError } from './errors.js'
import {
  AGENT_SET_WORDS,
  AT,
  CONTROL_BYTES,
  ENTRY,
  ENTRY_READY,
  ENTRY_WORDS,
  OBJECT_OWNER,
  OBJECT_TYPE,
  PAGE_BYTES,
  UNIT_WORDS,
} from './layout.js'
import type { Session } from './session.js'
import { OWNED } from './shared-layout.js'

/** Runs at least this long go back to the system when they are freed, and come zeroed from it. */
const PUNCH_PAGES = 16

const LIFE_MASK = 0x7fffffff

/** The object's index in the directory, from the owner mark of its first unit. */
function indexOf(words: Int32Array, base: number): number {
  const unit = (base - AT.units) / UNIT_WORDS
  return Atomics.load(words, AT.unitTable + unit) & ~OBJECT_OWNER
}

function entryOf(index: number): number {
  return AT.directory + index * ENTRY_WORDS
}

/** Changes `life`; false when the object has ended. The caller's bit is set. */
function stir(words: Int32Array, base: number, isThere: () => boolean = always): boolean {
  for (;;) {
    const life = Atomics.load(words, base + OWNED.life)
    if (life < 0 || !isThere()) return false
    const next = (life + 1) & LIFE_MASK
    if (Atomics.compareExchange(words, base + OWNED.life, life, next) === life) return true
  }
}

function always(): boolean {
  return true
}

/** Makes sure that an object whose holder's bit the caller has just set stays; throws when it had ended before. */
export function join(words: Int32Array, { index, generation, base }: ObjectHandle): void {
  const entry = entryOf(index)
  const isThere = (): boolean =>
    Atomics.load(words, entry) === ENTRY_READY &&
    Atomics.load(words, entry + ENTRY.generation) === generation
  if (stir(words, base, isThere)) return
  throw new MultiprocessingError(
    'ERR_MP_STALE_HANDLE',
    'The shared object behind this handle is gone: nobody held it any more',
  )
}

/** A copy is about to leave an agent that holds the object. */
export function depart(words: Int32Array, base: number): void {
  // SYNC: counted, then stirred, all while our bit is set. Whoever looks for users sees the bit, or the count, or,
  // when it read `life` before the stir, fails to swap it. CRASH: the count stays too high: a leak, no loss.
  Atomics.add(words, base + OWNED.inFlight, 1)
  stir(words, base)
}

/** A copy has arrived at an agent that holds the object by now. */
export function arrive(words: Int32Array, base: number): void {
  // SYNC: our bit, the stir, then the count: in reverse, so that the object has a user all the time.
  stir(words, base)
  recall(words, base)
}

/** A copy will never arrive; its sender still holds the object. */
export function recall(words: Int32Array, base: number): void {
  for (;;) {
    const count = Atomics.load(words, base + OWNED.inFlight)
    // 0: a message was decoded more often than it was sent.
    if (count === 0) return
    if (Atomics.compareExchange(words, base + OWNED.inFlight, count, count - 1) === count) return
  }
}

/** This agent holds the object no longer. */
export function letGo(session: Session, base: number): void {
  const { words, agent } = session
  const holders = entryOf(indexOf(words, base)) + ENTRY.holders
  Atomics.and(words, holders + (agent.slot >>> 5), ~(1 << (agent.slot & 31)))
  endIfUnused(session, base)
}

/** Gives the object's words and pages back if it has no user. */
function endIfUnused(session: Session, base: number): void {
  const { words, agent } = session
  const entry = entryOf(indexOf(words, base))
  for (;;) {
    const life = Atomics.load(words, base + OWNED.life)
    if (life < 0 || isUsed(words, entry, base)) return
    // A reaper's list may be older than the object's end.
    if (Atomics.load(words, entry + ENTRY.base) !== base) return
    if (Atomics.load(words, entry) !== ENTRY_READY) return
    // CRASH: from here the word names us: the reaper goes on where we stop.
    if (Atomics.compareExchange(words, base + OWNED.life, life, ~agent.tag) === life) {
      end(session, base)
      return
    }
  }
}

function isUsed(words: Int32Array, entry: number, base: number): boolean {
  if (Atomics.load(words, base + OWNED.inFlight) !== 0) return true
  for (let i = 0; i < AGENT_SET_WORDS; i++) {
    if (Atomics.load(words, entry + ENTRY.holders + i) !== 0) return true
  }
  return false
}

/** Frees an object whose `life` says that this agent ends it. */
function end(session: Session, base: number): void {
  const { words, directory } = session
  const index = indexOf(words, base)
  freePages(
    session,
    Atomics.load(words, base + OWNED.page),
    Atomics.load(words, base + OWNED.pages),
    OBJECT_OWNER | index,
  )
  const generation = Atomics.load(words, entryOf(index) + ENTRY.generation)
  directory.destroy({ index, generation, base })
}

/** Frees those pages of a run that still belong to `owner`: another may have begun, and died. */
function freePages({ pages, native }: Session, first: number, count: number, owner: number): void {
  const { arena } = pages
  const last = first + count
  let from = first
  while (from < last && arena.owner(from) !== owner) from++
  let to = from
  while (to < last && arena.owner(to) === owner) to++
  if (to - from >= PUNCH_PAGES) {
    native.punch(CONTROL_BYTES + from * PAGE_BYTES, (to - from) * PAGE_BYTES)
  }
  for (let page = from; page < to; page++) arena.free(page, 1)
}

/** Zeroes pages that were just taken: others may have used them. */
export function wipePages({ pages, native }: Session, first: number, count: number): void {
  if (count >= PUNCH_PAGES) {
    native.punch(CONTROL_BYTES + first * PAGE_BYTES, count * PAGE_BYTES)
  } else {
    pages.bytes(first, count * PAGE_BYTES).fill(0)
  }
}

/** Teaches the session's reaper to end what the dead were the last to hold. */
export function endWithTheDead(session: Session): void {
  const { words, agent, reaper } = session
  const recover = (base: number, _slot: number, tag: number): void => {
    // The dead agent was ending it. CRASH: if we die too, the word names us.
    const life = base + OWNED.life
    if (Atomics.compareExchange(words, life, ~tag, ~agent.tag) === ~tag) end(session, base)
    else endIfUnused(session, base)
  }
  for (const type of [OBJECT_TYPE.array, OBJECT_TYPE.value, OBJECT_TYPE.list]) {
    reaper.recoverers.set(type, recover)
  }
}
