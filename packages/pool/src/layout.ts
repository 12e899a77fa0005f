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
/** Places for workers: those that replace others are there before these have gone. */
export const PLACES = 256

const SETS = 2 * RING_WORDS
/** Those of the two rings, and one for workers that listen whether their task is called off. */
export const POOL_SETS: number = 2 * RING_SETS + 1
const CLAIMS = SETS + POOL_SETS * WAIT_SET_WORDS
const SINCE = CLAIMS + PLACES
const PHASES = SINCE + PLACES
const ORDERS = PHASES + PLACES
const TOLD = ORDERS + PLACES
const NUMBERS = TOLD + PLACES
const PIDS = NUMBERS + PLACES
const SIZE = PIDS + PLACES
const STATES = SIZE + 1

/**
 * Tables of `PLACES` words have one for each worker.
 *
 * | part   | meaning                                                                     | written by                    |
 * | ------ | --------------------------------------------------------------------------- | ----------------------------- |
 * | rings  | ring of tasks, ring of results                                               |                               |
 * | sets   | their wait sets; then that of those who listen whether a task is called off  |                               |
 * | claims | the task it has taken (`claimOf` its number), or 0                            | the worker; the pool when it is dead |
 * | since  | when it took that task, or began to be idle, in ticks                         | the worker                    |
 * | phases | `PHASE`                                                                      | the pool (0), then the worker |
 * | orders | `ORDER`                                                                      | the pool                      |
 * | told   | the task that is called off (`claimOf` its number), or 0                      | the pool                      |
 * | numbers | of its worker, counted from 1; 0 when nobody is there                    | the pool                      |
 * | pids   | its process                                                                  | the pool                      |
 * | size   | how many workers there are to be                                             | the pool                      |
 * | states | for each task in the ring (number mod 1024): number << 2 with `TASK_STATE`    | see there                     |
 */
export const POOL: {
  readonly rings: number
  readonly sets: number
  readonly claims: number
  readonly since: number
  readonly phases: number
  readonly orders: number
  readonly told: number
  readonly numbers: number
  readonly pids: number
  readonly size: number
  readonly states: number
} = {
  rings: 0,
  sets: SETS,
  claims: CLAIMS,
  since: SINCE,
  phases: PHASES,
  orders: ORDERS,
  told: TOLD,
  numbers: NUMBERS,
  pids: PIDS,
  size: SIZE,
  states: STATES,
}

export const POOL_WORDS: number = STATES + MAX_QUEUED

/** How far a worker has come. */
export const PHASE = { starting: 0, initializing: 1, ready: 2 } as const

/**
 * What the pool wants of a worker. It looks before it takes a task; who gives an order wakes those who wait for tasks.
 *
 * | order  | meaning                                                              |
 * | ------ | -------------------------------------------------------------------- |
 * | work   | take tasks                                                           |
 * | wait   | take none: its predecessor works still, or its successor is starting |
 * | retire | take none any more, and end                                          |
 * | go on  | take tasks, though its memory has passed the limit                   |
 */
export const ORDER = { work: 0, wait: 1, retire: 2, goOn: 3 } as const

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
