/**
 * What a call throws that was cancelled before it started.
 *
 * @module
 */
import { MultiprocessingError } from '@mp/shared-memory/internal'

/** Thrown by the result of a call that was cancelled. */
export class CancelledError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_CANCELLED', 'The call was cancelled before it started')
  }
}

/** A function that throws such an error itself was not cancelled. */
const own = new WeakSet<object>()

export function makeCancellation(): CancelledError {
  const error = new CancelledError()
  own.add(error)
  return error
}

export function isCancellation(error: unknown): boolean {
  return error instanceof CancelledError && own.has(error)
}
