/**
 * Waiting for room in a queue.
 *
 * @module
 */
import {
  type MessageRing,
  PENDING,
  RingClosedError,
  type Session,
  deadlineAfter,
} from '@mp/shared-memory/internal'
import { QueueFullError, QueueShutDownError } from './errors.js'

/** Waits until there is room for the messages, and puts them. */
export async function put(
  { waiting }: Session,
  ring: MessageRing,
  messages: readonly Uint8Array[],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let result
  try {
    result = await waiting.async(ring.putting(messages), timeoutMs, signal)
  } catch (error) {
    throw asQueueError(error)
  }
  if (result === PENDING) throw new QueueFullError()
}

/** As `put`, blocking this thread. */
export function putSync(
  session: Session,
  ring: MessageRing,
  messages: readonly Uint8Array[],
  timeoutMs: number,
): void {
  const { waiting, agent } = session
  const putting = ring.putting(messages)
  const attempt: typeof putting.attempt = () =>
    isInTurn(session, ring) ? putting.attempt() : PENDING
  let result
  try {
    result = waiting.block({ ...putting, attempt }, deadlineAfter(agent, timeoutMs))
  } catch (error) {
    throw asQueueError(error)
  }
  if (result === PENDING) throw new QueueFullError()
}

/** Whether nothing is left of what this thread began to put before: that goes first. */
export function isInTurn({ waiting }: Session, { notFull }: MessageRing): boolean {
  return !waiting.hasLine(notFull) || waiting.serveLine(notFull)
}

/** What users know the end of a ring as. */
export function asQueueError(error: unknown): unknown {
  return error instanceof RingClosedError ? new QueueShutDownError() : error
}
