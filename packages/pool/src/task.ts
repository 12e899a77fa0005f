/**
 * A task: what the pool keeps of a call until it is settled.
 *
 * @module
 */
import type { FunctionReference } from './messages.js'

/** Options of every call that gives a pool work. */
export interface TaskOptions {
  /**
   * How long a task may run, in milliseconds from when a worker took it. Then its worker is stopped and replaced,
   * and the task rejects with TimeoutError.
   *
   * @default Infinity
   */
  timeout?: number | undefined
  /** Ends the task when it aborts: one that is queued never starts; the worker of one that runs is stopped and replaced. */
  signal?: AbortSignal | undefined
  /**
   * How often a task is tried again after its worker died.
   *
   * @default 0
   */
  retries?: number | undefined
  /**
   * Tasks of a higher priority are given to workers first.
   *
   * @default 0
   */
  priority?: number | undefined
  /** Called after each item of a `map`, `starmap` or `imap` is done. */
  onProgress?: ((progress: Progress) => void) | undefined
}

/** How far a call has come. */
export interface Progress {
  /** How many items are done. */
  readonly done: number
  /** How many there are; undefined while the input is still being read. */
  readonly total: number | undefined
}

/** A task on its way. */
export interface Task {
  readonly mode: number
  readonly fn: FunctionReference
  readonly payload: Uint8Array
  /** What it is, for messages. */
  readonly label: string
  readonly priority: number
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  retriesLeft: number
  /** Its number in the ring of tasks; -1 before it is put there. */
  number: number
  /** Called once, when the task is over; undoes what the task holds. */
  settle(outcome: Outcome): void
}

export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown }
