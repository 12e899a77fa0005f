/**
 * Bytes to any value: the fork by the first byte.
 *
 * @module
 */
import * as tag from '../tags.js'
import { readBuffer, readOwnView, readPartBuffer, readPartView, readRefView } from './binary.js'
import { readBoxed, readDate, readRegExp, readUrl, readUrlSearchParams } from './builtins.js'
import {
  readArray,
  readDictionary,
  readMap,
  readNullPrototype,
  readPacked,
  readSet,
  readSparse,
} from './collections.js'
import { readDomException, readError } from './errors.js'
import {
  readCell,
  readExport,
  readFunction,
  readGlobal,
  readImport,
  readMethod,
  readPrototype,
  readSeenFunction,
} from './functions.js'
import {
  readInstance,
  readReduced,
  readReducedByValue,
  readSubclass,
  readWithPrototype,
} from './instances.js'
import { readWithHiddenMembers } from './members.js'
import type { Reader } from './reader.js'
import { readNewShape, readShaped } from './shapes.js'
import { readLong, readShort, readString } from './strings.js'

type Read = (r: Reader) => unknown

/** Reads one value and everything in it. */
export function readValue(r: Reader): unknown {
  const first = r.bytes[r.position++]
  if (first < tag.FIXSTR) return first
  if (first < tag.FIRST_TAG) return readShort(r, first - tag.FIXSTR)
  const read = readers[first - tag.FIRST_TAG]
  if (read === undefined) throw r.malformed(`${first} is no tag`)
  return read(r)
}

const int64 = new BigInt64Array(1)
const int64Bytes = new Uint8Array(int64.buffer)

function readBigInt64(r: Reader): bigint {
  const start = r.skip(8)
  for (let i = 0; i < 8; i++) int64Bytes[i] = r.bytes[start + i]
  return int64[0]
}

function readBigInt(r: Reader): bigint {
  const negative = r.byte() === 1
  const text = readString(r)
  if (!/^[\da-f]+$/.test(text)) throw r.malformed('a BigInt has no digits')
  const magnitude = BigInt(`0x${text}`)
  return negative ? -magnitude : magnitude
}

function readSymbol(r: Reader): symbol {
  const registered = r.byte() === 1
  const name = readString(r)
  if (registered) return Symbol.for(name)
  const symbol: unknown = (Symbol as unknown as Record<string, unknown>)[name]
  if (typeof symbol !== 'symbol') throw r.malformed(`there is no Symbol.${name}`)
  return symbol
}

function readRef(r: Reader): unknown {
  const number = r.varint()
  if (number >= r.objects.length) throw r.malformed('it refers to an object that is not there')
  return r.objects[number]
}

const readers: (Read | undefined)[] = []
const on = (first: number, read: Read): void => {
  readers[first - tag.FIRST_TAG] = read
}

on(tag.UNDEFINED, () => undefined)
on(tag.NULL, () => null)
on(tag.TRUE, () => true)
on(tag.FALSE, () => false)
on(tag.INT8, (r) => (r.byte() << 24) >> 24)
on(tag.INT16, (r) => ((r.byte() | (r.byte() << 8)) << 16) >> 16)
on(tag.INT32, (r) => r.uint32() | 0)
on(tag.FLOAT64, (r) => r.float64())
on(tag.BIGINT64, readBigInt64)
on(tag.BIGINT, readBigInt)
for (const kind of [tag.LATIN1, tag.UTF16]) on(kind, (r) => readLong(r, kind))
on(tag.SYMBOL, readSymbol)
on(tag.REF, readRef)
on(tag.COMMA, (r) => {
  readValue(r)
  return readValue(r)
})
on(tag.OBJECT_NEW_SHAPE, (r) => readShaped(r, readNewShape(r), readValue))
on(tag.OBJECT, (r) => {
  const shape = r.shapes[r.varint()]
  if (shape === undefined) throw r.malformed('it refers to a shape that is not there')
  return readShaped(r, shape, readValue)
})
on(tag.DICTIONARY, readDictionary)
on(tag.NULL_PROTOTYPE, readNullPrototype)
on(tag.ARRAY, readArray)
on(tag.ARRAY_INT8, (r) => readPacked(r, 1))
on(tag.ARRAY_INT16, (r) => readPacked(r, 2))
on(tag.ARRAY_INT32, (r) => readPacked(r, 4))
on(tag.ARRAY_FLOAT64, (r) => readPacked(r, 8))
on(tag.ARRAY_SPARSE, readSparse)
on(tag.MAP, readMap)
on(tag.SET, readSet)
on(tag.DATE, readDate)
on(tag.REGEXP, readRegExp)
on(tag.BOXED, readBoxed)
on(tag.ARRAY_BUFFER, readBuffer)
on(tag.ARRAY_BUFFER_PART, readPartBuffer)
on(tag.VIEW_OWN, readOwnView)
on(tag.VIEW_REF, readRefView)
on(tag.VIEW_PART, readPartView)
on(tag.ERROR, readError)
on(tag.DOM_EXCEPTION, readDomException)
on(tag.URL_OBJECT, readUrl)
on(tag.URL_SEARCH_PARAMS, readUrlSearchParams)
on(tag.INSTANCE, readInstance)
on(tag.SUBCLASS, readSubclass)
on(tag.HIDDEN_MEMBERS, readWithHiddenMembers)
on(tag.WITH_PROTOTYPE, readWithPrototype)
on(tag.REDUCED, readReduced)
on(tag.REDUCED_BY_VALUE, readReducedByValue)
on(tag.GLOBAL, readGlobal)
on(tag.EXPORT, readExport)
on(tag.IMPORT, readImport)
on(tag.METHOD, readMethod)
on(tag.PROTOTYPE, readPrototype)
on(tag.FUNCTION, readFunction)
on(tag.FUNCTION_SEEN, readSeenFunction)
on(tag.CELL, readCell)
