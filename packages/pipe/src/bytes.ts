/**
 * The bytes that callers of connections mean, checked.
 *
 * @module
 */
import { checkInteger, wrongType } from '@mp/shared-memory/internal'
import { BufferTooShortError } from './errors.js'

/** The part of `bytes` from `offset` on, `size` bytes or all there are. */
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

export function checkMaxLength(maxLength: number | undefined): number {
  return maxLength === undefined ? Infinity : checkInteger('maxLength', maxLength, 0)
}

/** Gives the message, unless it is longer than that. */
export function checkLength(message: Uint8Array, maxLength: number): Uint8Array {
  if (message.byteLength > maxLength) throw new BufferTooShortError(message, maxLength)
  return message
}

/** @returns the message's length. */
export function copyInto(room: Uint8Array, message: Uint8Array): number {
  room.set(checkLength(message, room.byteLength))
  return message.byteLength
}
