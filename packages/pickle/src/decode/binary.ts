/**
 * Bytes to array buffers and their views. The bytes are copied, so that a message may be reused at once, unless the
 * caller says where they are to be.
 *
 * @module
 */
import { ALIGNED_BYTES, VIEW_KINDS } from '../tags.js'
import type { Reader } from './reader.js'

interface ViewConstructor {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView
  BYTES_PER_ELEMENT?: number
}

type ResizableConstructor = new (
  byteLength: number,
  options?: { maxByteLength: number },
) => ArrayBuffer

export function readBuffer(r: Reader): ArrayBuffer {
  const buffer = readBytes(r)
  r.objects.push(buffer)
  return buffer
}

/** Reads (maximum length + 1, or 0), length and content. */
export function readBytes(r: Reader): ArrayBuffer {
  const max = r.varint()
  const length = r.varint()
  if (length > ALIGNED_BYTES) r.align()
  const start = r.skip(length)
  if (max === 0 && r.place !== undefined) return r.place(start, length)
  if (max === 0) return r.bytes.slice(start, start + length).buffer
  const buffer = new (ArrayBuffer as ResizableConstructor)(length, { maxByteLength: max - 1 })
  new Uint8Array(buffer).set(r.bytes.subarray(start, start + length))
  return buffer
}

export function readPartBuffer(r: Reader): ArrayBuffer {
  return partOf(r).buffer
}

export function readOwnView(r: Reader): ArrayBufferView {
  const kind = r.byte()
  const buffer = readBuffer(r)
  return viewOf(r, kind, buffer, 0, buffer.byteLength)
}

export function readRefView(r: Reader): ArrayBufferView {
  const kind = r.byte()
  const buffer = r.objects[r.varint()]
  if (!(buffer instanceof ArrayBuffer)) throw r.malformed('a buffer was expected')
  const byteOffset = r.varint()
  return viewOf(r, kind, buffer, byteOffset, r.varint())
}

export function readPartView(r: Reader): ArrayBufferView {
  const kind = r.byte()
  const { buffer, start } = partOf(r)
  const byteOffset = r.varint() - start
  return viewOf(r, kind, buffer, byteOffset, r.varint())
}

function partOf(r: Reader): { buffer: ArrayBuffer; start: number } {
  const part = r.parts[r.varint()]
  if (part === undefined) throw r.malformed('it refers to a buffer that is not there')
  return part
}

function viewOf(
  r: Reader,
  kind: number,
  buffer: ArrayBuffer,
  byteOffset: number,
  byteLength: number,
): ArrayBufferView {
  const name = VIEW_KINDS[kind] ?? ''
  const constructor = (globalThis as unknown as Record<string, ViewConstructor | undefined>)[name]
  if (constructor === undefined) throw r.malformed(`this Node has no ${name || 'such view'}`)
  if (byteOffset < 0 || byteOffset + byteLength > buffer.byteLength) {
    throw r.malformed('a view exceeds its buffer')
  }
  const view =
    name === 'Buffer'
      ? Buffer.from(buffer, byteOffset, byteLength)
      : new constructor(buffer, byteOffset, byteLength / (constructor.BYTES_PER_ELEMENT ?? 1))
  r.objects.push(view)
  return view
}
