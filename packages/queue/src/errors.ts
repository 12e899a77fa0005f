/**
 * What queues throw.
 *
 * @module
 */
import { MultiprocessingError } from '@mp/shared-memory/internal'

/** Thrown when an item was not put because the queue was full: with `block: false`, or when `timeout` passed. */
export class QueueFullError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_QUEUE_FULL', 'The queue is full; the item was not put')
  }
}

/** Thrown when there was no item to get: with `block: false`, or when `timeout` passed. */
export class QueueEmptyError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_QUEUE_EMPTY', 'The queue is empty')
  }
}

/** Thrown by puts once the queue is shut down, and by gets once it is drained as well. */
export class QueueShutDownError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_QUEUE_SHUT_DOWN', 'The queue is shut down')
  }
}

/** What whoever uses a queue after closing it gets, and whoever waits for an item of it then. */
export function closedHere(): MultiprocessingError {
  return new MultiprocessingError('ERR_MP_CLOSED', 'This process has closed the queue')
}
