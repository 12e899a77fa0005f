/**
 * Waiting for an item of a queue.
 *
 * @module
 */
import {
  type MessageRing,
  PENDING,
  type Session,
  type Waitable,
  deadlineAfter,
} from '@mp/shared-memory/internal'
import { QueueEmptyError, QueueShutDownError } from './errors.js'
import { asQueueError } from './putting.js'

/** Waits until there is a message, and takes it. */
export async function take<T>(
  { waiting }: Session,
  taking: Waitable<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  let taken
  try {
    taken = await waiting.async(taking, timeoutMs, signal)
  } catch (error) {
    throw asQueueError(error)
  }
  if (taken === PENDING) throw new QueueEmptyError()
  return taken
}

/** As `take`, blocking this thread; to be called when there was none to take. */
export function takeSync<T>(
  { waiting, agent }: Session,
  ring: MessageRing,
  taking: Waitable<T>,
  timeoutMs: number,
): T {
  if (ring.drained) throw new QueueShutDownError()
  let taken
  try {
    taken = waiting.block(taking, deadlineAfter(agent, timeoutMs))
  } catch (error) {
    throw asQueueError(error)
  }
  if (taken === PENDING) throw new QueueEmptyError()
  return taken
}
