/**
 * Words of a queue in shared memory.
 *
 * @module
 */
import { RING_SETS, RING_WORDS, WAIT_SET_WORDS } from '@mp/shared-memory/internal'

/**
 * | word  | name | meaning                                                                          |
 * | ----- | ---- | -------------------------------------------------------------------------------- |
 * | 0–47  | ring | the messages, see the ring's layout                                              |
 * | 48–87 | sets | the ring's wait sets, then those who wait in `join`                              |
 * | 88    | done | how many items are done (`JoinableQueue`), modulo 2^31; any process, by CAS      |
 */
export const QUEUE: {
  readonly ring: number
  readonly sets: number
  readonly joined: number
  readonly done: number
} = {
  ring: 0,
  sets: RING_WORDS,
  joined: RING_WORDS + RING_SETS * WAIT_SET_WORDS,
  done: RING_WORDS + (RING_SETS + 1) * WAIT_SET_WORDS,
}

export const QUEUE_SETS: number = RING_SETS + 1
export const QUEUE_WORDS: number = QUEUE.done + 1
