/**
 * Bytes that are sent and received as they are, checked.
 *
 * @module
 */
import {
  type BytesLease,
  type Extent,
  LeasedBytes,
  Loan,
  type Message,
  type Session,
  checkInteger,
  wrongType,
} from '@mp/shared-memory/internal'
import { BufferTooShortError } from './errors.js'

/** What can be sent as one message: bytes, which are copied, or a loan. */
export type SendableBytes = ArrayBufferView | ArrayBuffer | Loan

/** Sends bytes, or a loan, which is the user's again when that fails. */
export async function sendMessage(
  bytes: SendableBytes,
  offset: number,
  size: number | undefined,
  send: (message: Message) => Promise<void>,
): Promise<void> {
  // What is sent later must not change meanwhile.
  if (!(bytes instanceof Loan)) return send(section(bytes, offset, size).slice())
  const message = lend(bytes, offset, size)
  try {
    await send(message)
  } catch (error) {
    bytes.settle(false)
    throw error
  }
  bytes.settle(true)
}

/** `sendMessage`, blocking this thread. */
export function sendMessageSync(
  bytes: SendableBytes,
  offset: number,
  size: number | undefined,
  send: (message: Message) => void,
): void {
  if (!(bytes instanceof Loan)) return send(section(bytes, offset, size))
  const message = lend(bytes, offset, size)
  try {
    send(message)
  } catch (error) {
    bytes.settle(false)
    throw error
  }
  bytes.settle(true)
}

function lend(loan: Loan, offset: number, size: number | undefined): Message {
  checkInteger('offset', offset, 0, 0)
  checkInteger('size', size ?? loan.byteLength, loan.byteLength, loan.byteLength)
  return loan.lend('connection')
}

/** The message as a lease; one that is too long goes into the error as a copy. */
export function leaseOf(
  session: Session,
  message: Uint8Array<ArrayBuffer> | Extent,
  maxLength: number,
): BytesLease {
  const lease = new LeasedBytes(session, message).bare()
  if (message.byteLength <= maxLength) return lease
  const copy = lease.bytes.slice()
  lease.release()
  throw new BufferTooShortError(copy, maxLength)
}

/** The bytes that the caller means, checked. */
export function section(
  bytes: ArrayBufferView | ArrayBuffer,
  offset: number,
  size?: number,
): Uint8Array<ArrayBuffer> {
  if (!ArrayBuffer.isView(bytes) && !(bytes instanceof ArrayBuffer)) {
    throw wrongType('bytes', 'an ArrayBuffer or a view of one', bytes)
  }
  const { byteLength } = bytes
  checkInteger('offset', offset, 0, byteLength)
  const length = checkInteger('size', size ?? byteLength - offset, 0, byteLength - offset)
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset + offset, length)
    : new Uint8Array(bytes, offset, length)
}

export function checkMaxLength(maxLength: number | undefined): number {
  return maxLength === undefined ? Infinity : checkInteger('maxLength', maxLength, 0)
}

export function checkLength(message: Uint8Array, maxLength: number): Uint8Array {
  if (message.byteLength > maxLength) throw new BufferTooShortError(message, maxLength)
  return message
}

export function copyInto(room: Uint8Array, message: Uint8Array): number {
  room.set(checkLength(message, room.byteLength))
  return message.byteLength
}
