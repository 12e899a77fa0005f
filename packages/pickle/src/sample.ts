/**
 * A function sent by value, without a sender: what a receiver does with one can be done in advance.
 *
 * @module
 */
import { Output } from './encode/output.js'
import { writeString } from './encode/strings.js'
import { writeValue } from './encode/value.js'
import { Writer } from './encode/writer.js'
import type { Code } from './functions/code.js'
import { FUNCTION, VERSION } from './tags.js'

const CODE = {
  hash: 'sample',
  url: '',
  line: 0,
  column: 0,
  prefixLength: 0,
  map: undefined,
  body: '"use strict";return[(() => {}),function($mp_v){}]',
  eager: [],
  supplied: [],
  lazy: [],
  sources: {},
  isClass: false,
  naturalName: '',
} as const satisfies Code

/** A message that is a function which does nothing. `n` tells it from others. */
export function sampleFunction(n: number): Uint8Array {
  const code = new Output()
  writeString(code, JSON.stringify({ ...CODE, hash: CODE.hash + n }))
  const w = new Writer()
  const { out } = w
  out.byte(VERSION)
  out.byte(FUNCTION)
  out.varint(0)
  writeString(out, CODE.hash + n)
  out.uint32(code.position)
  out.raw(code.bytes.subarray(0, code.position))
  writeString(out, `${CODE.hash}-${n}`)
  // Neither a name nor a parent, no properties of its own, none of a prototype.
  writeValue(w, 'sample')
  writeValue(w, undefined)
  out.varint(0)
  out.varint(0)
  return out.bytes.slice(0, out.position)
}
