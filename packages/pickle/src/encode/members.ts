/**
 * Own members of instances that are no ordinary fields: those with symbols as keys, and hidden ones.
 *
 * Of symbols, those that another process has too. Accessors that are not enumerable are not
 * copied: they are code that the constructor made.
 *
 * @module
 */
import { isCommonSymbol } from '../symbols.js'
import { writeString } from './strings.js'
import { writeSymbol, writeValue } from './value.js'
import type { Writer } from './writer.js'

type Key = string | symbol

/** Members of builtin objects that their own encoding takes care of. */
const OF_BUILTINS: ReadonlySet<Key> = new Set(['length', 'lastIndex'])

/**
 * @param hasElements its string keys are those of elements, which are too many to look at.
 * @returns the keys of such members; undefined if there are none.
 */
export function hiddenMembers(object: object, hasElements: boolean): readonly Key[] | undefined {
  const symbols: readonly Key[] = Object.getOwnPropertySymbols(object)
  const names: readonly Key[] = hasElements ? [] : Object.getOwnPropertyNames(object)
  // Most have enumerable fields only. Reflect.ownKeys() would take three times as long.
  if (symbols.length === 0 && (hasElements || names.length === Object.keys(object).length)) {
    return undefined
  }
  const hidden = [...names, ...symbols].filter(
    (key) => isHiddenMember(object, key) && !OF_BUILTINS.has(key),
  )
  return hidden.length === 0 ? undefined : hidden
}

/** True for a member that can go, and not as a field. */
export function isHiddenMember(object: object, key: Key): boolean {
  if (typeof key === 'symbol' && !isCommonSymbol(key)) return false
  const descriptor = Object.getOwnPropertyDescriptor(object, key)!
  if (descriptor.enumerable === true) return typeof key === 'symbol'
  // What `Error.captureStackTrace` makes is an accessor from Node 22 on.
  return 'value' in descriptor || key === 'stack'
}

export function writeKey(w: Writer, key: Key): void {
  if (typeof key === 'symbol') writeSymbol(w, key)
  else writeString(w.out, key)
}

/** Writes how many there are; of each its key, what may be done with it, and its value. */
export function writeHiddenMembers(w: Writer, object: object, keys: readonly Key[]): void {
  w.out.varint(keys.length)
  const depth = w.enter()
  for (const key of keys) {
    const {
      enumerable,
      configurable,
      writable = true,
    } = Object.getOwnPropertyDescriptor(object, key)!
    w.path[depth] = { kind: 'property', name: String(key), isValue: true }
    writeKey(w, key)
    w.out.byte((enumerable ? 1 : 0) + (writable ? 2 : 0) + (configurable ? 4 : 0))
    writeValue(w, (object as Record<Key, unknown>)[key])
  }
  w.depth = depth
}
