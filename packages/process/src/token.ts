/**
 * The token: one word on the child's command line that leads it to its start record.
 *
 * It goes by argument, not by environment, which unrelated grandchildren would inherit.
 *
 * @module
 */
import type { Lifeline } from '@mp/shared-memory/internal'
import type { Launch } from './running.js'

/** Where a process finds the session's file. */
export const SESSION_FD = 3

/** What a child has to know before it has joined the session. */
export interface Token {
  /** Descriptor of the session's file; undefined in a thread, whose process has it mapped. */
  readonly fd: number | undefined
  readonly parentPid: number
  readonly parentTag: number
  readonly recordIndex: number
  readonly recordGeneration: number
}

/** The token of a child that this thread starts, which finds the session's file at `fd`. */
export function tokenFor({ session, record }: Launch, fd: number | undefined): string {
  const { index, generation } = record
  return [fd ?? '', process.pid, session.agent.tag, index, generation].join(':')
}

/** What a thread is started with: its token, and its line where there is no addon. */
export function threadData(token: string, lifeline: Lifeline | undefined): unknown {
  return lifeline === undefined ? token : { token, mpLine: lifeline.line }
}

/** The token in what `threadData` has made. */
export function tokenIn(data: unknown): unknown {
  return typeof data === 'object' && data !== null ? (data as { token?: unknown }).token : data
}

export function parseToken(text: unknown): Token {
  const match = typeof text === 'string' ? /^(\d*):(\d+):(\d+):(\d+):(-?\d+)$/.exec(text) : null
  if (match === null) {
    throw new TypeError('This file starts the children of @mp/process; it is not to be run by hand')
  }
  const [fd, parentPid, parentTag, recordIndex, recordGeneration] = match
    .slice(1)
    .map((part) => (part === '' ? undefined : Number(part)))
  return { fd, parentPid, parentTag, recordIndex, recordGeneration } as Token
}
