/**
 * Waiting for room in a queue.
 *
 * @module
 */
import {
  type Ends,
  type Message,
  type MessageRing,
  type Outgoing,
  PENDING,
  RingClosedError,
  type Session,
  type Tracked,
  deadlineAfter,
} from '@mp/shared-memory/internal'
import { QueueFullError, QueueShutDownError } from './errors.js'
import { type Lent, settle } from './lending.js'

/** Waits until there is room for the messages, and puts them. */
async function put(
  { waiting }: Session,
  ring: MessageRing,
  messages: readonly Message[],
  ends: Ends | undefined,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let result
  try {
    result = await waiting.async(ring.putting(messages, ends), timeoutMs, signal)
  } catch (error) {
    throw asQueueError(error)
  }
  if (result === PENDING) throw new QueueFullError()
}

/** As `put`, blocking this thread. */
function putSync(
  session: Session,
  ring: MessageRing,
  messages: readonly Message[],
  ends: Ends | undefined,
  timeoutMs: number,
): void {
  const { waiting, agent } = session
  const putting = ring.putting(messages, ends)
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

/** Puts a message that its first attempt did not put. */
export async function putLater(
  session: Session,
  ring: MessageRing,
  message: Outgoing,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    if (message.result === 'closed') throw new QueueShutDownError()
    await put(session, ring, [message.bytes!], message.ends, timeoutMs, signal)
  } catch (error) {
    message.cancel()
    throw error
  }
}

/** As `putLater`, blocking this thread. */
export function putLaterSync(
  session: Session,
  ring: MessageRing,
  message: Outgoing,
  timeoutMs: number,
): void {
  try {
    if (message.result === 'closed') throw new QueueShutDownError()
    putSync(session, ring, [message.bytes!], message.ends, timeoutMs)
  } catch (error) {
    message.cancel()
    throw error
  }
}

/** Puts messages together, as soon as there is room; takes back what they promised if they are not put. */
export async function putAll(
  session: Session,
  ring: MessageRing,
  { result: { messages, loans }, cancel }: Tracked<Lent>,
  ends: Ends | undefined,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await put(session, ring, messages, ends, timeoutMs, signal)
  } catch (error) {
    settle(loans, false)
    cancel()
    throw error
  }
  settle(loans, true)
}

/** As `putAll`, blocking this thread. */
export function putAllSync(
  session: Session,
  ring: MessageRing,
  { result: { messages, loans }, cancel }: Tracked<Lent>,
  ends: Ends | undefined,
  timeoutMs: number,
): void {
  try {
    const first = isInTurn(session, ring) ? ring.tryPut(messages, ends) : 'full'
    if (first === 'closed') throw new QueueShutDownError()
    if (first === 'full') putSync(session, ring, messages, ends, timeoutMs)
  } catch (error) {
    settle(loans, false)
    cancel()
    throw error
  }
  settle(loans, true)
}

/** Whether nothing is left of what this thread began to put before: that goes first. */
export function isInTurn({ waiting }: Session, { notFull }: MessageRing): boolean {
  return !waiting.hasLine(notFull) || waiting.serveLine(notFull)
}

/** What users know the end of a ring as. */
export function asQueueError(error: unknown): unknown {
  return error instanceof RingClosedError ? new QueueShutDownError() : error
}
