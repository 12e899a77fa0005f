/**
 * Arrays to bytes: numbers packed, holes kept, named properties kept.
 *
 * @module
 */
import { inspect } from 'node:util'
import * as tag from '../tags.js'
import type { Output } from './output.js'
import { writeNamed } from './objects.js'
import { writeValue } from './value.js'
import type { Writer } from './writer.js'

/** From this length on, a first look whether all are numbers pays. */
const PACKED_LENGTH = 4
/** A longer array is not fast storage in V8 unless it is full of elements. */
const DICTIONARY_LENGTH = 2 ** 25
/** Below it, `Object.keys` is faster than `inspect` in finding named properties. */
const FEW_ELEMENTS = 24

/** Writes an array whose prototype is `Array.prototype`, and registers it. */
export function writeArray(w: Writer, array: readonly unknown[]): void {
  w.register(array)
  const { length } = array
  if (length > DICTIONARY_LENGTH || hasHoles(array) || hasNamedProperties(array)) {
    return writeSparse(w, array)
  }
  if (length >= PACKED_LENGTH && typeof array[0] === 'number' && writePacked(w.out, array)) return
  w.out.byte(tag.ARRAY)
  w.out.varint(length)
  const depth = w.enter()
  const { path } = w
  for (let i = 0; i < length; i++) {
    path[depth] = i
    writeValue(w, array[i])
  }
  w.depth = depth
}

function hasHoles(array: readonly unknown[]): boolean {
  // includes() takes a hole for undefined, and is a native scan.
  // (An array may have any prototype.)
  if (!Array.prototype.includes.call(array, undefined)) return false
  for (let i = 0; i < array.length; i++) if (array[i] === undefined && !(i in array)) return true
  return false
}

const ONLY_NAMED = { maxArrayLength: 0, depth: 0, customInspect: false, breakLength: Infinity }

function hasNamedProperties(array: readonly unknown[]): boolean {
  const { length } = array
  if (length === 0) return Object.keys(array).length > 0
  if (length < FEW_ELEMENTS) return Object.keys(array).length !== length
  // The engine's list of non-index properties is reachable only through inspect().
  const text = inspect(array, ONLY_NAMED)
  return text !== `[ ... ${length} more items ]` && Object.keys(array).length !== length
}

/** Writes an array of numbers in the smallest common width, or nothing when it is not one. */
function writePacked(out: Output, array: readonly unknown[]): boolean {
  const { length } = array
  let min = 0
  let max = 0
  let integers = true
  for (let i = 0; i < length; i++) {
    const value = array[i]
    if (typeof value !== 'number') return false
    if (integers && (value | 0) === value && (value !== 0 || 1 / value > 0)) {
      if (value < min) min = value
      else if (value > max) max = value
    } else {
      integers = false
    }
  }
  const width = !integers ? 8 : min < -32_768 || max > 32_767 ? 4 : min < -128 || max > 127 ? 2 : 1
  const kind = { 1: tag.ARRAY_INT8, 2: tag.ARRAY_INT16, 4: tag.ARRAY_INT32, 8: tag.ARRAY_FLOAT64 }
  out.byte(kind[width])
  out.varint(length)
  out.reserve(length * width)
  const numbers = array as readonly number[]
  if (width === 8) {
    out.raw(new Uint8Array(Float64Array.from(numbers).buffer))
    return true
  }
  const { bytes } = out
  let { position } = out
  for (let i = 0; i < length; i++) {
    const value = numbers[i]
    bytes[position++] = value
    if (width === 1) continue
    bytes[position++] = value >> 8
    if (width === 2) continue
    bytes[position++] = value >> 16
    bytes[position++] = value >> 24
  }
  out.position = position
  return true
}

/** Writes length, runs of (elements, then holes), and own named properties. */
function writeSparse(w: Writer, array: readonly unknown[]): void {
  const { out } = w
  out.byte(tag.ARRAY_SPARSE)
  out.varint(array.length)
  const keys = Object.keys(array)
  let indexes = 0
  while (indexes < keys.length && isIndex(keys[indexes])) indexes++
  out.varint(indexes)
  const depth = w.enter()
  let next = 0
  for (let i = 0; i < indexes; i++) {
    const index = Number(keys[i])
    out.varint(index - next)
    next = index + 1
    w.path[depth] = index
    writeValue(w, array[index])
  }
  w.depth = depth
  writeNamed(w, array, keys.slice(indexes))
}

function isIndex(key: string): boolean {
  const index = Number(key)
  return index >>> 0 === index && index !== 2 ** 32 - 1 && String(index) === key
}
