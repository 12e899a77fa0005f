/**
 * Objects to bytes: the fork by prototype, plain objects, and collections.
 *
 * @module
 */
import { types } from 'node:util'
import type { PicklingError } from '../errors.js'
import { reduceSymbol } from '../hooks.js'
import { MAX_SHAPE_KEYS } from '../shapes.js'
import * as tag from '../tags.js'
import { writeArray } from './arrays.js'
import { writeBuiltin } from './builtins.js'
import { writeReduced } from './hooks.js'
import { writeUnusual } from './instances.js'
import { hiddenMembers, writeHiddenMembers } from './members.js'
import { writeString } from './strings.js'
import { writeValue } from './value.js'
import type { Writer } from './writer.js'

/** Writes an object, or the number it has when it is in the message already. */
export function writeObject(w: Writer, object: object): void {
  const number = w.numberOf(object)
  if (number >= 0) {
    w.out.byte(tag.REF)
    return w.out.varint(number)
  }
  if (types.isProxy(object)) throw w.refuse('is a Proxy; send what it stands for')
  const prototype: unknown = Object.getPrototypeOf(object)
  if ((object as Record<symbol, unknown>)[reduceSymbol] !== undefined) {
    return writeReduced(w, object)
  }
  if (prototype === Object.prototype) {
    // Own tags mark namespaces such as Math, which are no plain objects.
    if ((object as Record<symbol, unknown>)[Symbol.toStringTag] !== undefined) {
      return writeUnusual(w, object)
    }
    const keys = Object.keys(object)
    // So look the prototypes of classes.
    if (keys.length === 0 && Object.hasOwn(object, 'constructor')) return writeUnusual(w, object)
    w.register(object)
    return w.ofCode ? writeOfCode(w, object, keys) : writeNamed(w, object, keys)
  }
  if (prototype === Array.prototype) {
    return Array.isArray(object) ? writeArray(w, object) : writeUnusual(w, object)
  }
  if (prototype === null && !types.isModuleNamespaceObject(object)) {
    w.register(object)
    w.out.byte(tag.NULL_PROTOTYPE)
    return writeFields(w, object)
  }
  if (!writeBuiltin(w, object, prototype as object)) writeUnusual(w, object)
}

/** Writes a plain object that a function captured: `{ [Symbol.iterator]() { … } }`. To look for more is slow. */
function writeOfCode(w: Writer, object: object, keys: string[]): void {
  const hidden = hiddenMembers(object, false)
  if (hidden !== undefined) w.out.byte(tag.HIDDEN_MEMBERS)
  writeNamed(w, object, keys)
  if (hidden !== undefined) writeHiddenMembers(w, object, hidden)
}

/** Writes own enumerable string-keyed properties, as an object of a shape or a dictionary. */
export function writeFields(w: Writer, object: object): void {
  writeNamed(w, object, Object.keys(object))
}

export function writeNamed(w: Writer, object: object, keys: string[]): void {
  const { out } = w
  const count = keys.length
  const depth = w.enter()
  const { path } = w
  if (count > MAX_SHAPE_KEYS) {
    out.byte(tag.DICTIONARY)
    out.varint(count)
    for (let i = 0; i < count; i++) {
      const key = keys[i]
      writeString(out, key)
      path[depth] = key
      writeValue(w, (object as Record<string, unknown>)[key])
    }
  } else {
    writeShape(w, keys)
    for (let i = 0; i < count; i++) {
      const key = keys[i]
      path[depth] = key
      writeValue(w, (object as Record<string, unknown>)[key])
    }
  }
  w.depth = depth
}

function writeShape(w: Writer, keys: string[]): void {
  const { out } = w
  const index = w.shapes.find(keys)
  if (index >= 0) {
    out.byte(tag.OBJECT)
    return out.varint(index)
  }
  out.byte(tag.OBJECT_NEW_SHAPE)
  out.byte(keys.length)
  // The definition's own length lets the receiver look it up without decoding its strings.
  const start = out.position
  out.uint32(0)
  for (let i = 0; i < keys.length; i++) writeString(out, keys[i])
  out.uint32At(start, out.position - start - 4)
}

export function writeMap(w: Writer, map: ReadonlyMap<unknown, unknown>): void {
  w.out.byte(tag.MAP)
  let left = map.size
  w.out.varint(left)
  const depth = w.enter()
  for (const [key, value] of map) {
    const name = briefly(key)
    w.path[depth] = { kind: name === '' ? 'a key' : 'the key', name }
    writeValue(w, key)
    w.path[depth] = { kind: name === '' ? 'the value of a key' : 'the value of', name }
    writeValue(w, value)
    left--
  }
  w.depth = depth
  if (left !== 0) throw changedMeanwhile(w)
}

export function writeSet(w: Writer, set: ReadonlySet<unknown>): void {
  w.out.byte(tag.SET)
  let left = set.size
  w.out.varint(left)
  const depth = w.enter()
  for (const value of set) {
    w.path[depth] = { kind: 'a member', name: '' }
    writeValue(w, value)
    left--
  }
  w.depth = depth
  if (left !== 0) throw changedMeanwhile(w)
}

/** Its size stands before its members. */
function changedMeanwhile(w: Writer): PicklingError {
  return w.refuse('was changed by a getter or hook of something in it, while it was being sent')
}

function briefly(key: unknown): string {
  return typeof key === 'string' || typeof key === 'number' ? String(key).slice(0, 40) : ''
}
