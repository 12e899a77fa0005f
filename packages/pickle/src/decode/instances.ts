/**
 * Bytes to objects of classes, and to what `[reduceSymbol]` hooks described.
 *
 * @module
 */
import { UnpicklingError } from '../errors.js'
import { isClass } from '../functions/source.js'
import { reviveSymbol } from '../hooks.js'
import { readFieldsInto } from './collections.js'
import { moduleExport } from './functions.js'
import type { Reader } from './reader.js'
import { readString } from './strings.js'
import { readValue } from './value.js'

type Callable = (...args: unknown[]) => unknown

function readClass(r: Reader): { prototype: object } {
  const value = readValue(r)
  if (typeof value !== 'function') throw r.malformed('a class was expected')
  return value
}

export function readInstance(r: Reader): object {
  const object = Object.create(readClass(r).prototype) as object
  r.objects.push(object)
  readFieldsInto(r, object)
  return object
}

export function readSubclass(r: Reader): object {
  const { prototype } = readClass(r)
  const object = readValue(r)
  if (typeof object !== 'object' || object === null) throw r.malformed('an object was expected')
  Object.setPrototypeOf(object, prototype)
  readFieldsInto(r, object)
  return object
}

export function readWithPrototype(r: Reader): object {
  r.requireTrust('an object with a prototype')
  // The prototype may refer to the object: it must exist first.
  const object = {}
  r.objects.push(object)
  const prototype = readValue(r)
  if (typeof prototype !== 'object') throw r.malformed('a prototype was expected')
  Object.setPrototypeOf(object, prototype)
  readFieldsInto(r, object)
  return object
}

export function readReduced(r: Reader): unknown {
  r.requireTrust('an object with a hook')
  const index = r.varint()
  const name = readString(r)
  return revive(r, moduleExport(r, index, [name]), name)
}

export function readReducedByValue(r: Reader): unknown {
  r.requireTrust('an object with a hook')
  return revive(r, readValue(r), '')
}

function revive(r: Reader, target: unknown, name: string): unknown {
  const args = Array.from({ length: r.count() }, () => readValue(r))
  if (typeof target !== 'function') {
    throw new UnpicklingError(`Cannot revive an object: \`${name}\` is not a function`)
  }
  const hook = (target as unknown as Record<symbol, unknown>)[reviveSymbol]
  const object: unknown =
    typeof hook === 'function'
      ? (hook as Callable).apply(target, args)
      : isClass(target as (...args: never[]) => unknown)
        ? new (target as unknown as new (...args: unknown[]) => unknown)(...args)
        : (target as Callable)(...args)
  r.objects.push(object)
  return object
}
