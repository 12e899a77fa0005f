/**
 * Shapes as the receiver sees them: definitions remembered by their bytes.
 *
 * @module
 */
import { MAX_SHAPE_KEYS } from '../shapes.js'
import type { Reader, Shape } from './reader.js'
import { readString } from './strings.js'

/** Definitions remembered; a new one replaces the one in its slot. */
const SLOTS = 512
/** Longer definitions are not worth remembering. */
const MAX_REMEMBERED_BYTES = 512
/** Generating a builder costs about 30 µs; it pays after some hundred objects. */
const USES_BEFORE_BUILDER = 64

interface Remembered {
  readonly bytes: Uint8Array
  readonly shape: Shape
}

const slots: (Remembered | undefined)[] = []
// Nothing is in it yet: to fill it would take a child longer than to decode what it is started with.
slots.length = SLOTS

/** Reads a shape's definition and gives it the next number of the message. */
export function readNewShape(r: Reader): Shape {
  const count = r.byte()
  const length = r.uint32()
  const start = r.skip(length)
  const shape = remembered(r.bytes, start, length, count) ?? define(r, start, length, count)
  r.shapes.push(shape)
  return shape
}

function slotOf(bytes: Uint8Array, start: number, length: number): number {
  let hash = length
  for (let i = start; i < start + length; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0
  return hash & (SLOTS - 1)
}

function remembered(
  bytes: Uint8Array,
  start: number,
  length: number,
  count: number,
): Shape | undefined {
  if (length > MAX_REMEMBERED_BYTES) return undefined
  const known = slots[slotOf(bytes, start, length)]
  if (known === undefined || known.bytes.length !== length) return undefined
  for (let i = 0; i < length; i++) if (known.bytes[i] !== bytes[start + i]) return undefined
  return known.shape.keys.length === count ? known.shape : undefined
}

function define(r: Reader, start: number, length: number, count: number): Shape {
  if (count > MAX_SHAPE_KEYS) throw r.malformed('a shape has too many keys')
  const resume = r.position
  r.position = start
  const keys: string[] = []
  for (let i = 0; i < count; i++) keys.push(readString(r))
  if (r.position !== resume) throw r.malformed('a shape has a wrong length')
  const shape: Shape = { keys, uses: 0, build: undefined }
  if (length <= MAX_REMEMBERED_BYTES) {
    slots[slotOf(r.bytes, start, length)] = { bytes: r.bytes.slice(start, resume), shape }
  }
  return shape
}

/** Reads an object of a shape, and numbers it. */
export function readShaped(r: Reader, shape: Shape, read: (reader: Reader) => unknown): object {
  const { build, keys } = shape
  if (build !== undefined) return build(r, r.objects, read)
  if (shape.uses++ === USES_BEFORE_BUILDER) shape.build = generate(keys)
  return readInto(r, {}, keys, read)
}

/** Reads the fields of a shape into an object that may be of any kind. */
function readInto(
  r: Reader,
  object: object,
  keys: readonly string[],
  read: (reader: Reader) => unknown,
): object {
  r.objects.push(object)
  assignFields(r, object, keys, read)
  return object
}

export function assignFields(
  r: Reader,
  object: object,
  keys: readonly string[],
  read: (reader: Reader) => unknown,
): void {
  for (let i = 0; i < keys.length; i++) assignField(object, keys[i], read(r))
}

export function assignField(object: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  } else {
    ;(object as Record<string, unknown>)[key] = value
  }
}

/** Makes a function that builds objects of a shape; undefined where code generation is off. */
function generate(keys: readonly string[]): Shape['build'] {
  if (keys.includes('__proto__') || keys.length === 0) return undefined
  const names = keys.map((key) => JSON.stringify(key))
  try {
    // The object must exist, and have its number, before its fields are read: they may refer to it.
    return new Function(
      'r, objects, read',
      `"use strict"; const o = {${names.map((name) => `${name}: undefined`).join(', ')}}
       objects.push(o)
       ${names.map((name) => `o[${name}] = read(r)`).join('\n')}
       return o`,
    ) as Shape['build']
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}
