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
} as const

/** What a result message is about. */
export const STATUS = {
  /** The value of a task. */
  value: 0,
  /** The error of a task. */
  error: 1,
  /** The worker is ready; the number is the worker's. */
  ready: 2,
  /** The initializer threw this; the number is the worker's. */
  initializerError: 3,
  /** The task was cancelled before it started. */
  dropped: 4,
} as const

/** Where the encoded function of a task lies. */
export interface FunctionReference {
  readonly id: number
  readonly page: number
  readonly byteLength: number
}

export interface TaskMessage {
  readonly mode: number
  readonly fn: FunctionReference
  readonly payload: Uint8Array
}

export interface ResultMessage {
  readonly number: number
  readonly status: number
  readonly payload: Uint8Array
}

const TASK_HEADER = 4
const RESULT_HEADER = 2

export function encodeTask({ mode, fn, payload }: TaskMessage): Uint8Array {
  return withHeader([mode, fn.id, fn.page, fn.byteLength], payload)
}

export function decodeTask(message: Uint8Array): TaskMessage {
  const [mode, id, page, byteLength] = header(message, TASK_HEADER) as [
    number,
    number,
    number,
    number,
  ]
  return { mode, fn: { id, page, byteLength }, payload: message.subarray(TASK_HEADER * 4) }
}

export function encodeResult({ number, status, payload }: ResultMessage): Uint8Array {
  return withHeader([number, status], payload)
}

export function decodeResult(message: Uint8Array): ResultMessage {
  const [number, status] = header(message, RESULT_HEADER) as [number, number]
  return { number, status, payload: message.subarray(RESULT_HEADER * 4) }
}

function withHeader(words: readonly number[], payload: Uint8Array): Uint8Array {
  const message = new Uint8Array(words.length * 4 + payload.byteLength)
  const view = new DataView(message.buffer)
  words.forEach((word, i) => view.setInt32(i * 4, word, true))
  message.set(payload, words.length * 4)
  return message
}

function header(message: Uint8Array, length: number): number[] {
  const view = new DataView(message.buffer, message.byteOffset)
  return Array.from({ length }, (_, i) => view.getInt32(i * 4, true))
}
