/**
 * The token: one word on the child's command line that leads it to its start record.
 *
 * It goes by argument, not by environment, which unrelated grandchildren would inherit.
 *
 * @module
 */
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
