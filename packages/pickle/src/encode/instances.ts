/**
 * Objects of classes, and those that cannot go, to bytes.
 *
 * An instance travels as its class (see `functions.ts`) and its own fields; the receiver makes it
 * with `Object.create`, and no constructor runs again.
 *
 * @module
 */
import { types } from 'node:util'
import { intrinsicPath } from '../functions/intrinsics.js'
import * as tag from '../tags.js'
import { builtinPrototypeOf, writeBuiltin } from './builtins.js'
import { writeArray } from './arrays.js'
import { attempt, writeErrorAs } from './errors.js'
import { writeFields, writeNamed, writeObject } from './objects.js'
import { functionSender } from '../functions/on-demand.js'
import { writeString } from './strings.js'
import { writeValue } from './value.js'
import type { Writer } from './writer.js'

/** Writes an object that is neither plain nor an ordinary builtin. */
export function writeUnusual(w: Writer, object: object): void {
  const path = intrinsicPath(object)
  if (path !== undefined) {
    w.requireTrust('an object of the language')
    return writeGlobal(w, object, path)
  }
  if (types.isModuleNamespaceObject(object)) return writeNamespace(w, object)
  const owner: unknown = Object.getOwnPropertyDescriptor(object, 'constructor')?.value
  if (typeof owner === 'function' && owner.prototype === object && object !== Object.prototype) {
    return writePrototype(w, object, owner as (...args: never[]) => unknown)
  }
  // An error must get through; what of it cannot be sent is left out.
  const reason = types.isNativeError(object) ? undefined : functionSender().whyUnsendable(object)
  if (reason !== undefined) throw w.refuse(reason)
  const prototype = Object.getPrototypeOf(object) as object
  const constructor = constructorOf(prototype)
  const base = Array.isArray(object) ? Array.prototype : builtinPrototypeOf(object)
  if (constructor === undefined || constructor === base?.constructor) {
    if (base !== undefined) return writeBase(w, object, base)
    return writeWithPrototype(w, object, prototype)
  }
  if (isForeignObject(constructor, prototype)) {
    w.register(object)
    return writeFields(w, object)
  }
  writeInstance(w, object, constructor, base)
}

export function writeGlobal(w: Writer, object: object, path: readonly string[]): void {
  w.register(object)
  w.out.byte(tag.GLOBAL)
  w.out.varint(path.length)
  for (const name of path) writeString(w.out, name)
}

function writeNamespace(w: Writer, namespace: object): void {
  w.requireTrust('a module namespace')
  const specifier = functionSender().moduleOfNamespace(namespace)
  if (specifier === undefined) {
    throw w.refuse('is a module namespace; import the module where it is used')
  }
  w.register(namespace)
  w.out.byte(tag.EXPORT)
  w.out.varint(w.needModule(specifier, '', 'import'))
  w.out.varint(0)
}

/** The prototype of a class goes with its class. */
function writePrototype(w: Writer, object: object, owner: (...args: never[]) => unknown): void {
  w.requireTrust('the prototype of a class')
  const start = w.out.position
  w.out.byte(tag.PROTOTYPE)
  writeClass(w, owner)
  if (w.numberOf(object) >= 0) {
    w.out.bytes[start] = tag.COMMA
    return writeObject(w, object)
  }
  w.register(object)
}

/** The class of a prototype, when the two refer to each other as those of a class do. */
function constructorOf(prototype: object): ((...args: never[]) => unknown) | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  if (typeof value !== 'function' || value.prototype !== prototype) return undefined
  return value as (...args: never[]) => unknown
}

/** A plain object of another realm, such as a vm context. */
function isForeignObject(constructor: { name: string }, prototype: object): boolean {
  return constructor.name === 'Object' && Object.getPrototypeOf(prototype) === null
}

function writeInstance(
  w: Writer,
  object: object,
  constructor: (...args: never[]) => unknown,
  base: object | undefined,
): void {
  const { out } = w
  const start = out.position
  out.byte(base === undefined ? tag.INSTANCE : tag.SUBCLASS)
  if (!types.isNativeError(object)) {
    writeClass(w, constructor)
  } else if (!attempt(w, () => writeClass(w, constructor))) {
    out.position = start
    return writeErrorAs(w, object, object.name)
  }
  if (w.numberOf(object) >= 0) {
    // The class's own statics refer to this very object, which is written by now.
    out.bytes[start] = tag.COMMA
    return writeObject(w, object)
  }
  if (base === undefined) {
    w.register(object)
    return writeFields(w, object)
  }
  writeBase(w, object, base)
  // Errors and arrays carry their own properties themselves; the keys of strings and views are data.
  const complete =
    types.isNativeError(object) ||
    Array.isArray(object) ||
    ArrayBuffer.isView(object) ||
    types.isBoxedPrimitive(object)
  writeNamed(w, object, complete ? [] : Object.keys(object))
}

function writeClass(w: Writer, constructor: (...args: never[]) => unknown): void {
  const depth = w.enter()
  w.path[depth] = { kind: 'class', name: constructor.name }
  writeValue(w, constructor)
  w.depth = depth
}

function writeBase(w: Writer, object: object, base: object): void {
  if (base === Array.prototype) return writeArray(w, object as unknown[])
  writeBuiltin(w, object, base)
}

/** An object made by `Object.create(other)`: the prototype travels as a value. */
function writeWithPrototype(w: Writer, object: object, prototype: object): void {
  w.requireTrust('an object with a prototype')
  w.register(object)
  w.out.byte(tag.WITH_PROTOTYPE)
  const depth = w.enter()
  w.path[depth] = { kind: 'prototype', name: '' }
  writeValue(w, prototype)
  w.depth = depth
  writeFields(w, object)
}
