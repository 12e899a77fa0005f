/**
 * Bytes to plain objects, arrays, maps and sets.
 *
 * @module
 */
import * as tag from '../tags.js'
import type { Reader } from './reader.js'
import { assignField, assignFields, readNewShape } from './shapes.js'
import { readString } from './strings.js'
import { readValue } from './value.js'

export function readDictionary(r: Reader): object {
  const object = {}
  r.objects.push(object)
  readEntries(r, object)
  return object
}

export function readNullPrototype(r: Reader): object {
  const object = Object.create(null) as object
  r.objects.push(object)
  readFieldsInto(r, object)
  return object
}

/** Reads what `writeNamed` wrote, into an object that has its number already. */
export function readFieldsInto(r: Reader, object: object): void {
  const first = r.byte()
  if (first === tag.DICTIONARY) return readEntries(r, object)
  const shape =
    first === tag.OBJECT_NEW_SHAPE
      ? readNewShape(r)
      : first === tag.OBJECT
        ? r.shapes[r.varint()]
        : undefined
  if (shape === undefined) throw r.malformed('fields were expected')
  assignFields(r, object, shape.keys, readValue)
}

function readEntries(r: Reader, object: object): void {
  const count = r.count()
  for (let i = 0; i < count; i++) assignField(object, readString(r), readValue(r))
}

export function readArray(r: Reader): unknown[] {
  const count = r.count()
  const array: unknown[] = []
  r.objects.push(array)
  for (let i = 0; i < count; i++) array.push(readValue(r))
  return array
}

const SHORT = 64
const FAST_LENGTH = 2 ** 24
const PACKED = { 1: Int8Array, 2: Int16Array, 4: Int32Array, 8: Float64Array }

export function readPacked(r: Reader, width: 1 | 2 | 4 | 8): number[] {
  const count = r.varint()
  const start = r.skip(count * width)
  // The copy is aligned, as the view must be.
  const numbers = new PACKED[width](r.bytes.slice(start, r.position).buffer)
  // Made for all at once, unless it is short, or so long that V8 would take it for a dictionary.
  const isMadeAtOnce = count > SHORT && count <= FAST_LENGTH
  // oxlint-disable-next-line unicorn/no-new-array -- it is the length
  const array: number[] = isMadeAtOnce ? new Array<number>(count) : []
  for (let i = 0; i < count; i++) array[i] = numbers[i]
  r.objects.push(array)
  return array
}

export function readSparse(r: Reader): unknown[] {
  const length = r.varint()
  if (length >= 2 ** 32) throw r.malformed('an array is too long')
  const array: unknown[] = []
  r.objects.push(array)
  array.length = length
  const count = r.count()
  let index = 0
  for (let i = 0; i < count; i++, index++) {
    index += r.varint()
    if (index >= length) throw r.malformed('an element is beyond the end of its array')
    array[index] = readValue(r)
  }
  readFieldsInto(r, array)
  return array
}

export function readMap(r: Reader): Map<unknown, unknown> {
  const count = r.count()
  const map = new Map<unknown, unknown>()
  r.objects.push(map)
  for (let i = 0; i < count; i++) map.set(readValue(r), readValue(r))
  return map
}

export function readSet(r: Reader): Set<unknown> {
  const count = r.count()
  const set = new Set<unknown>()
  r.objects.push(set)
  for (let i = 0; i < count; i++) set.add(readValue(r))
  return set
}
