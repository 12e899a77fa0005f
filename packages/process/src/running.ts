/**
 * What a start method gives back: something that runs, seen from its parent.
 *
 * @module
 */
import type { ObjectHandle, Session } from '@mp/shared-memory/internal'
import type { Readable, Writable } from 'node:stream'
import type { LaunchOptions } from './options.js'

/** What a start method is given. */
export interface Launch {
  readonly name: string
  readonly options: LaunchOptions
  readonly session: Session
  /** The start record, payload and all. Freed by whoever asked for the launch. */
  readonly record: ObjectHandle
  /** To be called from the event loop when it has ended, with its exit code. */
  onEnd(exitCode: number): void
}

export interface Running {
  readonly pid: number
  readonly stdin: Writable | null
  readonly stdout: Readable | null
  readonly stderr: Readable | null
  /**
   * Looks, without waiting: its exit code, or null while that is not known.
   *
   * The event loop may have taken the exit status of several children and tell of one after the other. In between, a
   * `last` look gives the best there is, because the caller blocks the event loop; any other waits to be told.
   */
  poll(last: boolean): number | null
  /** Whether it runs still; may be false before its exit code is known. */
  isRunning(): boolean
  /** Sends a signal, by number, or does what comes nearest to it. */
  signal(signal: number): void
  /** Lets it keep this agent's event loop alive. */
  ref(): void
  unref(): void
  /** Called once it has ended. */
  release(): void
}
