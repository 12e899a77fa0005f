/**
 * Array buffers and their views to bytes.
 *
 * A view of a whole buffer carries its bytes. A view of a part sends only the range that the
 * message's views need, so that a small slice of a large buffer (or of Node's Buffer pool) stays
 * small; the ranges are known at the end, and stand in the trailer. Views that share a buffer
 * share one again.
 *
 * @module
 */
import { types } from 'node:util'
import * as tag from '../tags.js'
import { Output } from './output.js'
import type { Writer } from './writer.js'

type Resizable = ArrayBuffer & { resizable?: boolean; maxByteLength?: number }

export function writeBuffer(w: Writer, buffer: Resizable): void {
  const part = w.parts.get(buffer)
  if (part !== undefined) {
    part.start = 0
    part.end = buffer.byteLength
    w.out.byte(tag.ARRAY_BUFFER_PART)
    return w.out.varint(part.index)
  }
  w.register(buffer)
  w.out.byte(tag.ARRAY_BUFFER)
  writeBytes(w, buffer)
}

function writeBytes(w: Writer, buffer: Resizable): void {
  w.out.varint(buffer.resizable === true ? buffer.maxByteLength! + 1 : 0)
  w.out.varint(buffer.byteLength)
  if (buffer.byteLength > tag.ALIGNED_BYTES) w.out.align()
  w.out.raw(bytesOf(w, buffer))
}

function bytesOf(w: Writer, buffer: ArrayBuffer): Uint8Array {
  try {
    return new Uint8Array(buffer)
  } catch (error) {
    // There is no other sign of it on Node 20.
    if (!(error instanceof TypeError)) throw error
    throw w.refuse('is a detached ArrayBuffer; it has been transferred elsewhere', error)
  }
}

/** Marks the memory of a SharedArray where there is no addon: its views are sent as those of other arrays are, by a copy. */
const sharedBlock: unique symbol = Symbol.for('@mp/shared-memory/block') as never

export function writeView(w: Writer, view: ArrayBufferView, kind: string): void {
  const { out } = w
  const { byteOffset, byteLength } = view
  const buffer = view.buffer as Resizable
  if (types.isSharedArrayBuffer(buffer) && !(sharedBlock in buffer)) {
    throw w.refuse('is a view of a SharedArrayBuffer; use SharedArray or SharedMemory')
  }
  const kindNumber = tag.VIEW_KINDS.indexOf(kind)
  const number = w.numberOf(buffer)
  if (number >= 0) {
    w.register(view)
    out.byte(tag.VIEW_REF)
    out.byte(kindNumber)
    out.varint(number)
    out.varint(byteOffset)
  } else if (byteLength === buffer.byteLength && !w.parts.has(buffer)) {
    w.register(buffer)
    w.register(view)
    out.byte(tag.VIEW_OWN)
    out.byte(kindNumber)
    return writeBytes(w, buffer)
  } else {
    w.register(view)
    out.byte(tag.VIEW_PART)
    out.byte(kindNumber)
    out.varint(needRange(w, buffer, byteOffset, byteOffset + byteLength))
    out.varint(byteOffset)
  }
  out.varint(byteLength)
}

function needRange(w: Writer, buffer: ArrayBuffer, start: number, end: number): number {
  const part = w.parts.get(buffer)
  if (part === undefined) {
    const index = w.parts.size
    w.parts.set(buffer, { index, start, end })
    return index
  }
  part.start = Math.min(part.start, start)
  part.end = Math.max(part.end, end)
  return part.index
}

/** Writes the ranges of partly seen buffers, in the order of their numbers. */
export function writeParts(w: Writer): void {
  const { out } = w
  out.varint(w.parts.size)
  for (const [buffer, { start, end }] of w.parts) {
    // Elements of up to eight bytes must stay aligned.
    const from = start - (start % 8)
    const whole =
      from === 0 && end === buffer.byteLength && (buffer as Resizable).resizable === true
    out.varint(from)
    out.varint(whole ? (buffer as Resizable).maxByteLength! + 1 : 0)
    out.varint(end - from)
    if (end - from > tag.ALIGNED_BYTES) out.align()
    out.raw(new Uint8Array(buffer, from, end - from))
  }
}

/**
 * What a message begins with that is a `Uint8Array` of that length and no more: its bytes follow, up to the end.
 *
 * For whoever fills them where the message is to lie. They start at a multiple of 8.
 */
export function bytesMessageHead(byteLength: number): Uint8Array {
  const out = new Output()
  out.byte(tag.VERSION)
  out.byte(tag.VIEW_OWN)
  out.byte(tag.VIEW_KINDS.indexOf('Uint8Array'))
  out.varint(0)
  out.varint(byteLength)
  if (byteLength > tag.ALIGNED_BYTES) out.align()
  return out.bytes.slice(0, out.position)
}
