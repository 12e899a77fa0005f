/**
 * Words of a pipe in shared memory.
 *
 * @module
 */
import { RING_SETS, RING_WORDS, WAIT_SET_WORDS } from '@mp/shared-memory/internal'

const SETS = 2 * RING_WORDS
const HOLDERS = SETS + 2 * RING_SETS * WAIT_SET_WORDS
const IN_FLIGHT = HOLDERS + 2 * WAIT_SET_WORDS

/** How many copies of one end can be on their way to other agents at a time. */
export const MAX_IN_FLIGHT = 64
const IN_FLIGHT_WORDS = 2 * MAX_IN_FLIGHT

/**
 * A pipe has two ends, 0 and 1. Ring 0 carries what end 0 sends, ring 1 what end 1 sends.
 *
 * | word    | name     | meaning                                                                             |
 * | ------- | -------- | ----------------------------------------------------------------------------------- |
 * | 0–95    | rings    | ring 0, ring 1                                                                      |
 * | 96–223  | sets     | wait sets of ring 0, then of ring 1                                                 |
 * | 224–255 | holders  | which agents hold end 0, then end 1; like wait sets, a reaper clears the dead's bits |
 * | 256–383 | inFlight | for each end, the copies of it that have not arrived: see `in-flight.ts`            |
 * | 384–511 | through  | for each of these, the generation of what it travels through                        |
 * | 512–639 | stamps   | for each of these, `stampOf` the number of its message in there; 0: not known        |
 */
export const PIPE: {
  readonly rings: number
  readonly sets: number
  readonly holders: number
  readonly inFlight: number
  readonly through: number
  readonly stamps: number
} = {
  rings: 0,
  sets: SETS,
  holders: HOLDERS,
  inFlight: IN_FLIGHT,
  through: IN_FLIGHT + IN_FLIGHT_WORDS,
  stamps: IN_FLIGHT + 2 * IN_FLIGHT_WORDS,
}

export const PIPE_SETS: number = 2 * RING_SETS + 2
export const PIPE_WORDS: number = IN_FLIGHT + 3 * IN_FLIGHT_WORDS
