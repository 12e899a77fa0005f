/**
 * Words of a pool in shared memory.
 *
 * @module
 */
import { RING_SETS, RING_WORDS, WAIT_SET_WORDS } from '@mp/shared-memory/internal'

/** The most workers of a pool. */
export const MAX_WORKERS = 250
/** The most tasks that lie in the ring and are not taken: the length of the table of their states. */
export const MAX_QUEUED = 1024

const SETS = 2 * RING_WORDS
const CLAIMS = SETS + 2 * RING_SETS * WAIT_SET_WORDS
const STARTED = CLAIMS + 256
const STATES = STARTED + 256

/**
 * | word     | name    | meaning                                                                                |
 * | -------- | ------- | -------------------------------------------------------------------------------------- |
 * | 0–95     | rings   | ring of tasks, ring of results                                                         |
 * | 96–159   | sets    | their wait sets                                                                        |
 * | 160–415  | claims  | for each worker: the task it has taken (`claimOf` its number), or 0                      |
 * | 416–671  | started | for each worker: when it took it, in ticks                                             |
 * | 672–1695 | states  | for each task in the ring (number mod 1024): number << 2 with `TASK_STATE`              |
 */
export const POOL: {
  readonly rings: number
  readonly sets: number
  readonly claims: number
  readonly started: number
  readonly states: number
} = { rings: 0, sets: SETS, claims: CLAIMS, started: STARTED, states: STATES }

export const POOL_SETS: number = 2 * RING_SETS
export const POOL_WORDS: number = STATES + MAX_QUEUED

/**
 * State of a task in the ring. Exactly one of the two CAS from queued succeeds: a cancelled task never starts.
 *
 * | state     | who leaves it                                      |
 * | --------- | -------------------------------------------------- |
 * | queued    | the pool → cancelled; the worker that took it → started |
 * | cancelled | nobody; the worker that takes it drops it          |
 * | started   | nobody                                             |
 */
export const TASK_STATE = { queued: 0, cancelled: 1, started: 2 } as const
