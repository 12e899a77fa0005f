/**
 * Words of a queue in shared memory.
 *
 * @module
 */
import { RING_SETS, RING_WORDS, WAIT_SET_WORDS } from '@mp/shared-memory/internal'

const DONE = RING_WORDS + (RING_SETS + 1) * WAIT_SET_WORDS

/** How many pages the table of an acknowledged queue's claims can have. */
export const CLAIM_PAGES = 32

/**
 * | word    | name         | meaning                                                                              |
 * | ------- | ------------ | ------------------------------------------------------------------------------------ |
 * | 0–47    | ring         | the messages, see the ring's layout                                                  |
 * | 48–127  | sets         | the ring's wait sets, then those who wait in `join`                                  |
 * | 128     | done         | how many items are done (`JoinableQueue`), modulo 2^31; any process, by CAS          |
 * | 129     | acknowledged | 1: what is taken is kept until it is done; `claims.ts` has the rest; the maker       |
 * | 130     | claimsHigh   | 1 + highest claim that may not be free; a reader, in the readers' lock               |
 * | 131     | claiming     | 1 + the claim made last: it is void if its item was not taken; a reader, in the lock |
 * | 132     | oldestPage   | the first page of the ring that is kept + 1; 0: the ring's first; a reader, in the lock |
 * | 133     | returns      | counts the items that were given back; a hint to look                                |
 * | 134     | dropping     | 1: whatever can be taken is dropped; whoever shuts the queue down, once              |
 * | 136–167 | claimPages   | each page of the table of claims + 1; a reader, in the readers' lock                 |
 */
export const QUEUE: {
  readonly ring: number
  readonly sets: number
  readonly joined: number
  readonly done: number
  readonly acknowledged: number
  readonly claimsHigh: number
  readonly claiming: number
  readonly oldestPage: number
  readonly returns: number
  readonly dropping: number
  readonly claimPages: number
} = {
  ring: 0,
  sets: RING_WORDS,
  joined: RING_WORDS + RING_SETS * WAIT_SET_WORDS,
  done: DONE,
  acknowledged: DONE + 1,
  claimsHigh: DONE + 2,
  claiming: DONE + 3,
  oldestPage: DONE + 4,
  returns: DONE + 5,
  dropping: DONE + 6,
  claimPages: DONE + 8,
}

export const QUEUE_SETS: number = RING_SETS + 1
export const QUEUE_WORDS: number = QUEUE.claimPages + CLAIM_PAGES
