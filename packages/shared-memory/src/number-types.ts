/**
 * The kinds of numbers that shared memory holds, and what fits each.
 *
 * The one thing to know: codes are part of the layout, so none is ever used again
 * for something else. A value that does not fit is refused, never cut.
 *
 * @module
 */
import { outOfRange, wrongType } from './arguments.js'

/** Any typed array. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

/** A typed array's constructor, such as `Float64Array`. */
export interface TypedArrayConstructor<T extends TypedArray> {
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): T
  new (length: number): T
  readonly BYTES_PER_ELEMENT: number
  readonly name: string
}

/** What a typed array holds: `bigint` for the 64-bit integers, `number` for all others. */
export type ElementOf<T extends TypedArray> = T extends BigInt64Array | BigUint64Array
  ? bigint
  : number

/** One kind of number. */
export interface NumberType {
  readonly code: number
  /** As Rust spells it. */
  readonly name: string
  readonly array: TypedArrayConstructor<TypedArray>
  /** Whether it is an integer; then `min` and `max` are. */
  readonly integer: boolean
  readonly big: boolean
  readonly min: number | bigint
  readonly max: number | bigint
}

function integer(
  code: number,
  name: string,
  array: TypedArrayConstructor<TypedArray>,
  min: number | bigint,
  max: number | bigint,
): NumberType {
  return { code, name, array, integer: true, big: typeof max === 'bigint', min, max }
}

function float(code: number, name: string, array: TypedArrayConstructor<TypedArray>): NumberType {
  return { code, name, array, integer: false, big: false, min: -Infinity, max: Infinity }
}

const types: readonly NumberType[] = [
  integer(1, 'i8', Int8Array, -(2 ** 7), 2 ** 7 - 1),
  integer(2, 'u8', Uint8Array, 0, 2 ** 8 - 1),
  integer(3, 'i16', Int16Array, -(2 ** 15), 2 ** 15 - 1),
  integer(4, 'u16', Uint16Array, 0, 2 ** 16 - 1),
  integer(5, 'i32', Int32Array, -(2 ** 31), 2 ** 31 - 1),
  integer(6, 'u32', Uint32Array, 0, 2 ** 32 - 1),
  integer(7, 'i64', BigInt64Array, -(2n ** 63n), 2n ** 63n - 1n),
  integer(8, 'u64', BigUint64Array, 0n, 2n ** 64n - 1n),
  float(9, 'f32', Float32Array),
  float(10, 'f64', Float64Array),
  // To clamp is what it is for: any number fits.
  float(11, 'u8 clamped', Uint8ClampedArray),
]

/** The kind with a name or an array constructor; undefined when there is none. */
export function findType(by: Partial<NumberType>): NumberType | undefined {
  const entries = Object.entries(by) as [keyof NumberType, unknown][]
  return types.find((type) => entries.every(([key, value]) => type[key] === value))
}

/** Returns `value` if it fits the type; 64-bit integers may be given as safe integers and come back as bigints. */
export function checkNumber(type: NumberType, name: string, value: unknown): number | bigint {
  const { integer, big, min, max } = type
  const allowed = integer ? `an integer from ${min} to ${max} (${type.name})` : `a number`
  if (big) {
    const int = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
    if (typeof int === 'number') throw outOfRange(name, `${allowed}, as a bigint`, value)
    if (typeof int !== 'bigint') throw wrongType(name, allowed, value)
    if (int < min || int > max) throw outOfRange(name, allowed, value)
    return int
  }
  if (typeof value !== 'number') throw wrongType(name, allowed, value)
  if (integer) {
    if (!Number.isInteger(value) || value < min || value > max)
      throw outOfRange(name, allowed, value)
    return value
  }
  if (type.array === Float32Array && Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
    throw outOfRange(name, `a number that a 32-bit float can hold (${type.name})`, value)
  return value
}
