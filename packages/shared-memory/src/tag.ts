/**
 * Tags: who did it, in one word.
 *
 * Every claim in shared memory is signed by the CAS that makes it. A tag names a
 * slot and the generation of its use, so a tag of a dead agent stays
 * recognisable after somebody else took the slot.
 *
 * | bits  | meaning                                     |
 * | ----- | ------------------------------------------- |
 * | 0–11  | slot + 1                                    |
 * | 12–29 | generation of the slot, never 0             |
 * | 30    | `OBJECT_OWNER`: not an agent, see layout.ts |
 *
 * @module
 */
import { SLOT, SLOT_STATE, slotWord } from './layout.js'

const GENERATIONS = 1 << 18

/** The tag of a slot in a generation. */
export function makeTag(slot: number, generation: number): number {
  return (generation << 12) | (slot + 1)
}

/** The slot that a tag names. */
export function tagSlot(tag: number): number {
  return (tag & 0xfff) - 1
}

/** The generation after this one; skips 0, so no tag is ever a bare slot number. */
export function nextGeneration(generation: number): number {
  return generation + 1 === GENERATIONS ? 1 : generation + 1
}

/** A slot's state word. */
export function packState(generation: number, state: number): number {
  return (generation << 8) | state
}

/**
 * Tells whether the agent behind a tag can never act again.
 *
 * SYNC: a reaper stores `dead` only after the liveness byte of the agent was free, and teardown stores `gone`
 * only when the thread runs no more JavaScript; whoever reads either sees every store that the agent made.
 */
export function isDead(words: Int32Array, tag: number): boolean {
  const state = Atomics.load(words, slotWord(tagSlot(tag)) + SLOT.state)
  return state >>> 8 !== tag >>> 12 || (state & 0xff) >= SLOT_STATE.gone || (state & 0xff) === 0
}
