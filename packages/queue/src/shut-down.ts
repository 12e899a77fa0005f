/**
 * The end of a ring, as queues say it.
 *
 * @module
 */
import { RingClosedError } from '@mp/shared-memory/internal'
import { QueueShutDownError } from './errors.js'

export async function shutDownAware<R>(wait: Promise<R>): Promise<R> {
  try {
    return await wait
  } catch (error) {
    throw error instanceof RingClosedError ? new QueueShutDownError() : error
  }
}

export function shutDownAwareSync<R>(wait: () => R): R {
  try {
    return wait()
  } catch (error) {
    throw error instanceof RingClosedError ? new QueueShutDownError() : error
  }
}
