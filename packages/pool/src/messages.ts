/**
 * The two kinds of message between a pool and its workers.
 *
 * Numbers come first, as they are; then what the serializer made. So a result that
 * cannot be decoded still says whose it is.
 *
 * @module
 */

/** How a worker applies the function to what was sent. */
export const MODE = {
  /** `fn(...payload)` */
  call: 0,
  /** `payload.map(item => fn(item))`, ending at the first error. */
  map: 1,
  /** `payload.map(item => fn(...item))`, ending at the first error. */
  starmap: 2,
  /** As map, with an outcome for each item. */
  each: 3,
  /** As starmap, with an outcome for each item. */
  starEach: 4,
} as const

/** What a result message is about. */
export const STATUS = {
  /** The value of a task. */
  value: 0,
  /** The error of a task. */
  error: 1,
  /** The worker is ready. */
  ready: 2,
  /** The initializer threw this. */
  initializerError: 3,
  /** The task was cancelled before it started. */
  dropped: 4,
  /** The worker is about to take its last tasks. */
  expiring: 5,
  /** The worker has more memory than it may have. */
  large: 6,
} as const

/** Where the encoded function of a task lies. */
export interface FunctionReference {
  readonly id: number
  readonly page: number
  readonly byteLength: number
}

/**
 * Head of a task, in words: mode, then id, page and length of the function. Multiples of eight bytes, so that what
 * follows stays as the serializer has aligned it.
 */
export const TASK_HEAD = 16

/**
 * Head of a result: number, status | worker << 8, started (milliseconds, 64 bits), run and serialization
 * (milliseconds, 32 bits each).
 */
export const RESULT_HEAD = 24

export interface ResultHead {
  readonly number: number
  readonly status: number
  readonly worker: number
  /** When the task started, on the clock that all share. */
  readonly startedAt: number
  readonly runMs: number
  /** Time that the worker has spent on encoding and decoding since its last result. */
  readonly codecMs: number
}

const headBytes = new Uint8Array(RESULT_HEAD)
const headInts = new Int32Array(headBytes.buffer)
const headFloats = new Float32Array(headBytes.buffer)
const headDoubles = new Float64Array(headBytes.buffer)

export function writeTaskHead(
  words: Int32Array,
  at: number,
  mode: number,
  fn: FunctionReference,
): void {
  words[at] = mode
  words[at + 1] = fn.id
  words[at + 2] = fn.page
  words[at + 3] = fn.byteLength
}

export function readTaskHead(message: Uint8Array): { mode: number; fn: FunctionReference } {
  for (let i = 0; i < TASK_HEAD; i++) headBytes[i] = message[i]
  return {
    mode: headInts[0],
    fn: { id: headInts[1], page: headInts[2], byteLength: headInts[3] },
  }
}

export function writeResultHead(message: Uint8Array, head: ResultHead): void {
  headInts[0] = head.number
  headInts[1] = head.status | (head.worker << 8)
  headDoubles[1] = head.startedAt
  headFloats[4] = head.runMs
  headFloats[5] = head.codecMs
  for (let i = 0; i < RESULT_HEAD; i++) message[i] = headBytes[i]
}

export function readResultHead(message: Uint8Array): ResultHead {
  for (let i = 0; i < RESULT_HEAD; i++) headBytes[i] = message[i]
  return {
    number: headInts[0],
    status: headInts[1] & 0xff,
    worker: headInts[1] >>> 8,
    startedAt: headDoubles[1],
    runMs: headFloats[4],
    codecMs: headFloats[5],
  }
}
