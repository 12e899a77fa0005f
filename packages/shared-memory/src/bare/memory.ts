/**
 * The memory of a session without the addon, and how a thread comes to have it.
 *
 * It is SharedArrayBuffers of the thread that made the session. They travel as environment data, which Node
 * hands to every thread that a thread starts, also to those of programs: so the session is that of the
 * thread that made it and of all below it. Threads that were started before have none of it.
 *
 * @module
 */
import {
  type MessagePort,
  getEnvironmentData,
  setEnvironmentData,
  threadId,
  workerData,
} from 'node:worker_threads'
import { CONTROL_BYTES, layoutHash } from '../layout.js'
import { BOOK, BOOK_BYTES, FIRST_TICKET } from './books.js'

export interface Memory {
  /** Names the session's channels; unique in this process. */
  readonly id: string
  readonly control: SharedArrayBuffer
  readonly pages: SharedArrayBuffer
  readonly books: SharedArrayBuffer
  /** The thread that has handed it on. */
  readonly starter: number
}

/** What a thread that `@mp/process` starts is given beside its token. */
export interface Line {
  readonly ticket: number
  /** Closed by the end of the thread's environment, which the steward sees at the other end. */
  readonly port: MessagePort
}

const KEY = `@mp/shared-memory/bare/${layoutHash}`

/** The memory that this thread was started with. */
export function inheritedMemory(): Memory | undefined {
  return getEnvironmentData(KEY) as unknown as Memory | undefined
}

/** All threads that this one starts from now on have it. */
export function handOn(memory: Memory, starter: number): void {
  setEnvironmentData(KEY, { ...memory, starter })
}

/** Makes the memory of a session; throws RangeError when the engine cannot have that much. */
export function makeMemory(byteLength: number): Memory {
  const books = new SharedArrayBuffer(BOOK_BYTES)
  Atomics.store(new Int32Array(books), BOOK.tickets, FIRST_TICKET)
  return {
    id: `mp:${process.pid}:${threadId}:${process.hrtime.bigint()}`,
    // Zeroed, and not there until touched.
    control: new SharedArrayBuffer(CONTROL_BYTES),
    pages: new SharedArrayBuffer(byteLength - CONTROL_BYTES),
    books,
    starter: 0,
  }
}

/** The line that this thread was started with, if it has one. */
export function ownLine(): Line | undefined {
  const data = workerData as { readonly mpLine?: Line } | null | undefined
  return typeof data === 'object' && data !== null ? data.mpLine : undefined
}
