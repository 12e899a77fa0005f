/**
 * What threads and the steward say to each other.
 *
 * @module
 */
import type { MessagePort } from 'node:worker_threads'

/** What the steward is started with, beside the memory. */
export interface NewLine {
  /** The number of a thread that is about to be started. */
  readonly ticket: number
  /** The other end of its line. */
  readonly port: MessagePort
  /** Becomes 1 when that thread has ended. */
  readonly ended: Int32Array
}

/** What is asked of the steward about the memory of objects. */
export type Request =
  /** Sent before a handle of the object is. */
  | { readonly kind: 'keep'; index: number; generation: number; block: SharedArrayBuffer }
  /** The object of that entry has ended. */
  | { readonly kind: 'ended'; index: number }
  | {
      readonly kind: 'find'
      index: number
      generation: number
      /** The channel that gets the answer; `done` becomes 1 once it is there. */
      replyTo: string
      done: Int32Array
    }

/** The answer to `find`: undefined when there is no such object any more. */
export interface Reply {
  readonly block: SharedArrayBuffer | undefined
}

/** Where requests go. */
export function stewardChannel(session: string): string {
  return `${session}/steward`
}

/** Where the thread of that number gets answers. */
export function replyChannel(session: string, who: number): string {
  return `${session}/${who}`
}
