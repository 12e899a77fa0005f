/**
 * Errors to bytes.
 *
 * An error must get through, or the failure it reports is lost: a property or cause of it that
 * cannot be sent is left out, and a class that cannot be sent is replaced by the nearest builtin
 * one under the same name.
 *
 * @module
 */
import { types } from 'node:util'
import { PicklingError } from '../errors.js'
import * as tag from '../tags.js'
import { isHiddenMember, writeKey } from './members.js'
import { writeString } from './strings.js'
import { writeValue } from './value.js'
import type { Writer } from './writer.js'

/** Written before the other properties. */
const SPECIAL: ReadonlySet<string | symbol> = new Set(['message', 'stack'])

/** Runs a write that may fail; takes back its bytes when it does. */
export function attempt(w: Writer, write: () => void): boolean {
  const mark = w.mark()
  try {
    write()
    return true
  } catch (error) {
    if (!(error instanceof PicklingError)) throw error
    w.rollback(mark)
    return false
  }
}

export function writeError(w: Writer, error: Error): void {
  writeErrorAs(w, error, undefined)
}

/** @param name given to the copy as an own property, for want of the class that has it. */
export function writeErrorAs(w: Writer, error: Error, name: string | undefined): void {
  w.register(error)
  const { out } = w
  const start = out.position
  if (types.isNativeError(error) && !(error instanceof DOMException)) {
    out.byte(tag.ERROR)
    out.byte(tag.ERROR_CLASSES.indexOf(builtinClassOf(error)))
  } else {
    out.byte(tag.DOM_EXCEPTION)
    writeString(out, error.name)
  }
  const plain = out.bytes[start] === tag.ERROR && name === undefined
  writeValue(w, plain ? ownMessage(error) : error.message)
  writeValue(w, typeof error.stack === 'string' ? error.stack : undefined)
  const depth = w.enter()
  if (name !== undefined) {
    writeString(out, 'name')
    writeString(out, name)
  }
  for (const key of Reflect.ownKeys(error)) {
    if (SPECIAL.has(key) || (key === 'name' && name !== undefined)) continue
    const isEnumerable = Object.prototype.propertyIsEnumerable.call(error, key)
    if (!(isEnumerable && typeof key === 'string') && !isHiddenMember(error, key)) continue
    const value = (error as unknown as Record<string | symbol, unknown>)[key]
    // Such as the `toString` of Node's errors.
    if (!isEnumerable && typeof value === 'function') continue
    w.path[depth] = String(key)
    attempt(w, () => {
      if (!isEnumerable) out.byte(tag.NULL)
      writeKey(w, key)
      writeValue(w, value)
    })
  }
  w.depth = depth
  out.byte(tag.UNDEFINED)
}

function builtinClassOf(error: Error): string {
  for (let prototype: unknown = error; prototype !== null;) {
    prototype = Object.getPrototypeOf(prototype)
    for (const name of tag.ERROR_CLASSES) {
      const constructor = (globalThis as unknown as Record<string, { prototype: object }>)[name]
      if (constructor?.prototype === prototype) return name
    }
  }
  // Of another realm: its name is the best there is.
  return tag.ERROR_CLASSES.includes(error.name) ? error.name : 'Error'
}

function ownMessage(error: Error): string | undefined {
  const message: unknown = Object.hasOwn(error, 'message') ? error.message : undefined
  return typeof message === 'string' ? message : undefined
}
