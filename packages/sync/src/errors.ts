/**
 * What the primitives throw, each with a stable `code`.
 *
 * @module
 */
import { MultiprocessingError } from '@mp/shared-memory/internal'

/** Thrown when something is released, or a condition is used, that is not held. */
export class NotHeldError extends MultiprocessingError {
  constructor(message: string) {
    super('ERR_MP_NOT_HELD', message)
  }
}

/** Thrown when something that only its holder may release is released by somebody else. */
export class NotOwnerError extends MultiprocessingError {
  constructor(message: string) {
    super('ERR_MP_NOT_OWNER', message)
  }
}

/** Thrown when a release would raise a semaphore above its bound; nothing has changed. */
export class OverReleasedError extends MultiprocessingError {
  constructor(message: string) {
    super('ERR_MP_OVER_RELEASED', message)
  }
}

/** Thrown from a barrier that is or gets broken: by a timeout, an abort, a death, `abort()` or `reset()`. */
export class BrokenBarrierError extends MultiprocessingError {
  constructor(message: string) {
    super('ERR_MP_BROKEN_BARRIER', message)
  }
}
