/**
 * Bytes that users give to a connection, and that they get from it.
 *
 * @module
 */
import { checkInteger, ownCopy, wrongType } from '@mp/shared-memory/internal'
import { BufferTooShortError } from './errors.js'

/** The bytes that the caller means, checked. */
export function section(
  bytes: ArrayBufferView | ArrayBuffer,
  offset: number,
  size?: number,
): Uint8Array {
  if (!ArrayBuffer.isView(bytes) && !(bytes instanceof ArrayBuffer)) {
    throw wrongType('bytes', 'an ArrayBuffer or a view of one', bytes)
  }
  const { byteLength } = bytes
  checkInteger('offset', offset, 0, byteLength)
  const length = checkInteger('size', size ?? byteLength - offset, 0, byteLength - offset)
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length)
    : new Uint8Array(bytes, offset, length)
}

/** Reads a message that lies at the start of these bytes. */
export type Read<R> = (bytes: Uint8Array, length: number) => R

/** Copies a message out; throws with the copy when it is too long. */
export function copyOfAtMost(maxLength: number | undefined): Read<Uint8Array> {
  if (maxLength === undefined) return ownCopy
  checkInteger('maxLength', maxLength, 0)
  return (bytes, length) => {
    const copy = ownCopy(bytes, length)
    if (length > maxLength) throw new BufferTooShortError(copy, maxLength)
    return copy
  }
}

/** Copies a message into the room there is; throws with a copy when that is too little. */
export function copyInto(room: Uint8Array): Read<number> {
  return (bytes, length) => {
    if (length > room.byteLength)
      throw new BufferTooShortError(ownCopy(bytes, length), room.byteLength)
    room.set(bytes.byteLength === length ? bytes : bytes.subarray(0, length))
    return length
  }
}
