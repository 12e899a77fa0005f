/**
 * What is said when something needs the addon and there is none.
 *
 * @module
 */
import { MultiprocessingError } from '../errors.js'
import { loadNative } from '../native.js'

/** Why there is no addon in this thread: the loader's own words, or that nobody wanted it. */
function reason(): Error {
  try {
    loadNative()
    return new MultiprocessingError(
      'ERR_MP_NATIVE_MISSING',
      'the native part of @mp/shared-memory is there, but was not to be used (MP_PLATFORM is `bare`)',
    )
  } catch (error) {
    return error as Error
  }
}

/** The error for something that is not to be had without the addon: `what` cannot be done, `instead` something else. */
export function unavailable(what: string, instead: string): MultiprocessingError {
  const cause = reason()
  const { code = 'ERR_MP_NATIVE_MISSING' } = cause as { code?: string }
  return new MultiprocessingError(code, `${what}: ${cause.message}. ${instead}`, { cause })
}
