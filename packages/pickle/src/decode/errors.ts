/**
 * Bytes to errors. The sender's stack arrives as text in `stack`.
 *
 * @module
 */
import { ERROR_CLASSES, NULL, UNDEFINED } from '../tags.js'
import type { Reader } from './reader.js'
import { readKey } from './members.js'
import { readString } from './strings.js'
import { readValue } from './value.js'

const SHOWN = { writable: true, enumerable: true, configurable: true }
const HIDDEN = { writable: true, enumerable: false, configurable: true }

export function readError(r: Reader): Error {
  const name = ERROR_CLASSES[r.byte()]
  if (name === undefined) throw r.malformed('there is no such error class')
  const constructor = (globalThis as unknown as Record<string, (new () => Error) | undefined>)[name]
  return readParts(
    r,
    withoutStack(() =>
      name === 'AggregateError' ? new AggregateError([]) : new (constructor ?? Error)(),
    ),
  )
}

export function readDomException(r: Reader): Error {
  const name = readString(r)
  // Its message is internal state: look ahead for it, then read the parts as of any error.
  const start = r.position
  const message = readValue(r)
  r.position = start
  return readParts(r, withoutStack(() => new DOMException(String(message), name)) as Error)
}

/** Makes an error without the cost of collecting a stack that is replaced at once. */
function withoutStack<T>(make: () => T): T {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = limit
  }
}

function readParts(r: Reader, error: Error): Error {
  r.objects.push(error)
  const message = readValue(r)
  const stack = readValue(r)
  if (typeof message === 'string' && !(error instanceof DOMException)) {
    Object.defineProperty(error, 'message', { value: message, ...HIDDEN })
  }
  if (error instanceof AggregateError) delete (error as Partial<AggregateError>).errors
  Object.defineProperty(error, 'stack', { value: stack, ...HIDDEN })
  while (r.bytes[r.position] !== UNDEFINED) {
    const isHidden = r.bytes[r.position] === NULL
    if (isHidden) r.position++
    const key = readKey(r)
    const value = readValue(r)
    Object.defineProperty(error, key, isHidden ? { value, ...HIDDEN } : { value, ...SHOWN })
  }
  r.position++
  return error
}
