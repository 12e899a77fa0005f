/**
 * Any value to bytes: the first fork of the way.
 *
 * @module
 */
import { wellKnownSymbols } from '../symbols.js'
import * as tag from '../tags.js'
import { writeFunction } from './functions.js'
import { writeObject } from './objects.js'
import type { Output } from './output.js'
import { writeString } from './strings.js'
import type { Writer } from './writer.js'

/** Writes a value and everything it refers to. */
export function writeValue(w: Writer, value: unknown): void {
  switch (typeof value) {
    case 'number':
      return writeNumber(w.out, value)
    case 'string':
      return writeString(w.out, value)
    case 'object':
      return value === null ? w.out.byte(tag.NULL) : writeObject(w, value)
    case 'boolean':
      return w.out.byte(value ? tag.TRUE : tag.FALSE)
    case 'undefined':
      return w.out.byte(tag.UNDEFINED)
    case 'bigint':
      return writeBigInt(w.out, value)
    case 'symbol':
      return writeSymbol(w, value)
    case 'function':
      return writeFunction(w, value as (...args: never[]) => unknown)
  }
}

function writeNumber(out: Output, value: number): void {
  const int = value | 0
  if (int !== value || (int === 0 && 1 / value < 0)) {
    out.byte(tag.FLOAT64)
    return out.float64(value)
  }
  if (int >= 0 && int < 128) return out.byte(int)
  out.reserve(5)
  const { bytes, position } = out
  if (int >= -128 && int < 128) {
    bytes[position] = tag.INT8
    bytes[position + 1] = int
    out.position = position + 2
  } else if (int >= -32_768 && int < 32_768) {
    bytes[position] = tag.INT16
    bytes[position + 1] = int
    bytes[position + 2] = int >> 8
    out.position = position + 3
  } else {
    bytes[position] = tag.INT32
    out.uint32At(position + 1, int)
    out.position = position + 5
  }
}

const int64 = new BigInt64Array(1)
const int64Bytes = new Uint8Array(int64.buffer)

export function writeBigInt(out: Output, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) {
    int64[0] = value
    out.byte(tag.BIGINT64)
    return out.raw(int64Bytes)
  }
  out.byte(tag.BIGINT)
  out.byte(value < 0n ? 1 : 0)
  writeString(out, (value < 0n ? -value : value).toString(16))
}

export function writeSymbol(w: Writer, value: symbol): void {
  const key = Symbol.keyFor(value)
  const name = key ?? wellKnownSymbols.get(value)
  if (name === undefined) {
    throw w.refuse(`is the unregistered symbol ${String(value)}; make it with Symbol.for()`)
  }
  w.out.byte(tag.SYMBOL)
  w.out.byte(key === undefined ? 0 : 1)
  writeString(w.out, name)
}
