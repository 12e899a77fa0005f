/**
 * How an agent comes to its slot: its place among the agents of a session.
 *
 * @module
 */
import { isMainThread, threadId } from 'node:worker_threads'
import { raise } from './arena.js'
import { MultiprocessingError } from './errors.js'
import { HEADER, MAX_AGENTS, SLOT, SLOT_STATE, STOCK_WORDS, slotWord } from './layout.js'
import type { Native } from './native.js'
import { makeTag, nextGeneration, packState, tagSlot } from './tag.js'

/** How long to sleep between two looks for a free slot. */
const FULL_SLICE_MS = 10

/**
 * Takes a slot, or waits for one. Nobody rings who frees one: to be rung one needs a slot.
 *
 * CRASH: who dies while it waits has nothing that anybody could miss.
 */
export function awaitSlot(
  native: Native,
  words: Int32Array,
  parent: number,
  patienceMs: number,
): number {
  for (const end = native.now() + patienceMs; ;) {
    const tag = takeSlot(native, words, parent)
    if (tag !== 0) return tag
    const left = end - native.now()
    if (left <= 0) break
    native.park(HEADER.ready, 1, Math.min(left, FULL_SLICE_MS))
  }
  throw new MultiprocessingError(
    'ERR_MP_TOO_MANY_AGENTS',
    `The session has ${MAX_AGENTS} processes and threads, which is its limit: ` +
      'wait until some have ended, or give each more to do; it cannot be raised',
  )
}

/** Takes a free slot; gives its tag, or 0 when there is none. */
function takeSlot(native: Native, words: Int32Array, parent: number): number {
  for (let slot = 0; slot < MAX_AGENTS; slot++) {
    const at = slotWord(slot)
    const word = Atomics.load(words, at + SLOT.state)
    if ((word & 0xff) !== SLOT_STATE.free || !owns(native, slot)) continue
    const generation = nextGeneration(word >>> 8)
    const joining = packState(generation, SLOT_STATE.joining)
    // The byte is ours, so only a thread of this process or a finished reaper can have been here.
    if (Atomics.compareExchange(words, at + SLOT.state, word, joining) !== word) {
      native.disown(slot)
      continue
    }
    // CRASH: from here a reaper finds `joining` with a free byte and frees the slot.
    raise(words, HEADER.highSlot, slot + 1)
    Atomics.store(words, at + SLOT.pid, process.pid)
    Atomics.store(words, at + SLOT.thread, isMainThread ? 0 : threadId)
    Atomics.store(words, at + SLOT.parent, parent)
    Atomics.store(words, at + SLOT.watcher, parent)
    Atomics.store(words, at + SLOT.parked, 0)
    for (let i = 0; i < STOCK_WORDS; i++) Atomics.store(words, at + SLOT.stock + i, 0)
    Atomics.store(words, at + SLOT.state, packState(generation, SLOT_STATE.live))
    return makeTag(slot, generation)
  }
  return 0
}

function owns(native: Native, slot: number): boolean {
  try {
    native.own(slot)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false
    throw error
  }
}

/** Gives back the slot of an agent that nobody has heard of, and that holds nothing. Others leave theirs to a reaper. */
export function freeSlot(native: Native, words: Int32Array, tag: number): void {
  const slot = tagSlot(tag)
  // SYNC: free, then the byte: until that is free, nobody else can take the place.
  // CRASH: between the two the kernel frees the byte, and the slot is as any free one.
  Atomics.store(words, slotWord(slot) + SLOT.state, packState(tag >>> 12, SLOT_STATE.free))
  native.disown(slot)
}
