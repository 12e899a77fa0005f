/**
 * Bytes to own members of instances that are no ordinary fields: see `encode/members.ts`.
 *
 * @module
 */
import type { Reader } from './reader.js'
import { readValue } from './value.js'

export function readKey(r: Reader): string | symbol {
  const key = readValue(r)
  if (typeof key !== 'string' && typeof key !== 'symbol') throw r.malformed('a key was expected')
  return key
}

export function readWithHiddenMembers(r: Reader): unknown {
  r.requireTrust('an object of a class')
  const object = readValue(r)
  if (typeof object !== 'object' || object === null) throw r.malformed('an object was expected')
  const count = r.count()
  for (let i = 0; i < count; i++) {
    const key = readKey(r)
    const flags = r.byte()
    Object.defineProperty(object, key, {
      value: readValue(r),
      enumerable: (flags & 1) !== 0,
      writable: (flags & 2) !== 0,
      configurable: (flags & 4) !== 0,
    })
  }
  return object
}
