/**
 * What is told of values and errors that cannot be sent.
 *
 * @module
 */
import { PicklingError } from '@mp/pickle'

/** The error of a task whose result cannot be sent. */
export function whyUnsendable(error: unknown): Error {
  const message = `The result cannot be sent: ${messageOf(error)}`
  if (error instanceof PicklingError) return new PicklingError(message, error.path)
  const reason = new Error(message)
  reason.name = nameOf(error)
  return Object.assign(reason, { code: (error as NodeJS.ErrnoException).code })
}

/** What of an error can be sent for certain: its name, message, stack and code, and why not all of it. */
export function withoutUnsendable(thrown: unknown, why: unknown): Error {
  const copy = new Error(messageOf(thrown))
  copy.name = nameOf(thrown)
  const { stack, code } = Object(thrown) as { stack?: unknown; code?: unknown }
  if (typeof stack === 'string') copy.stack = stack
  if (typeof code === 'string' || typeof code === 'number') Object.assign(copy, { code })
  copy.cause = new Error(`The rest of this error cannot be sent: ${messageOf(why)}`)
  return copy
}

/** Its getters are code of users. */
function messageOf(thrown: unknown): string {
  try {
    return String((thrown as Error).message ?? thrown)
  } catch {
    return 'a value that cannot be shown'
  }
}

function nameOf(thrown: unknown): string {
  try {
    return String((thrown as Error).name ?? 'Error')
  } catch {
    return 'Error'
  }
}
