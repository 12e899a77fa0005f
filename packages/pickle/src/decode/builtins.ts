/**
 * Bytes to dates, regular expressions, boxed primitives and URLs.
 *
 * @module
 */
import type { Reader } from './reader.js'
import { readString } from './strings.js'
import { readValue } from './value.js'

function numbered<T>(r: Reader, object: T): T {
  r.objects.push(object)
  return object
}

export function readDate(r: Reader): Date {
  return numbered(r, new Date(r.float64()))
}

export function readRegExp(r: Reader): RegExp {
  const source = readString(r)
  return numbered(r, new RegExp(source, readString(r)))
}

export function readBoxed(r: Reader): object {
  return numbered(r, Object(readValue(r)) as object)
}

export function readUrl(r: Reader): URL {
  return numbered(r, new URL(readString(r)))
}

export function readUrlSearchParams(r: Reader): URLSearchParams {
  return numbered(r, new URLSearchParams(readString(r)))
}
