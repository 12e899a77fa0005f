/**
 * Bytes that users give to a connection, and that they get from it.
 *
 * @module
 */
import { type Backlog, decodeLater } from '@mp/pickle'
import {
  type BytesLease,
  type Lease,
  LeasedBytes,
  type Loan,
  type Message,
  type Session,
  type Taken,
  checkInteger,
  ownCopy,
  wrongType,
} from '@mp/shared-memory/internal'
import { BufferTooShortError } from './errors.js'

/** What can be sent as one message: bytes, which are copied, or a loan. */
export type SendableBytes = ArrayBufferView | ArrayBuffer | Loan

/** Sends a loan, which is the user's again when that fails. */
export async function sendLoan(
  loan: Loan,
  offset: number,
  size: number | undefined,
  send: (message: Message) => Promise<void>,
): Promise<void> {
  const message = lend(loan, offset, size)
  try {
    await send(message)
  } catch (error) {
    loan.settle(false)
    throw error
  }
  loan.settle(true)
}

/** `sendLoan`, blocking this thread. */
export function sendLoanSync(
  loan: Loan,
  offset: number,
  size: number | undefined,
  send: (message: Message) => void,
): void {
  const message = lend(loan, offset, size)
  try {
    send(message)
  } catch (error) {
    loan.settle(false)
    throw error
  }
  loan.settle(true)
}

function lend(loan: Loan, offset: number, size: number | undefined): Message {
  checkInteger('offset', offset, 0, 0)
  checkInteger('size', size ?? loan.byteLength, loan.byteLength, loan.byteLength)
  return loan.lend('connection')
}

/** The message as a lease; one that is too long goes into the error as a copy. */
export function leaseOf(session: Session, taken: Taken, maxLength: number): BytesLease {
  const message = taken.inPlace()
  const lease = new LeasedBytes(session, message, taken.delivery).bare()
  if (message.byteLength <= maxLength) return lease
  const copy = lease.bytes.slice()
  lease.release()
  throw new BufferTooShortError(copy, maxLength)
}

/** The value of a message as a lease; nothing stays of one that cannot be decoded. */
export function valueLeaseOf<T>(session: Session, taken: Taken, backlog: Backlog): Lease<T> {
  const leased = new LeasedBytes(session, taken.inPlace(), taken.delivery)
  return leased.decode((all, place) =>
    backlog.decodeInPlace(all, place, taken.delivery),
  ) as Lease<T>
}

/** `valueLeaseOf`, which may wait for the modules that the value names. */
export function valueLeaseLater<T>(session: Session, taken: Taken): Promise<Lease<T>> {
  const leased = new LeasedBytes(session, taken.inPlace(), taken.delivery)
  return leased.decodeAsync(decodeLater) as Promise<Lease<T>>
}

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
export function copyOfAtMost(maxLength: number): Read<Uint8Array> {
  if (maxLength === Infinity) return ownCopy
  return (bytes, length) => checkLength(ownCopy(bytes, length), maxLength)
}

/** Gives the message, unless it is longer than that. */
export function checkLength(message: Uint8Array, maxLength: number): Uint8Array {
  if (message.byteLength > maxLength) throw new BufferTooShortError(message, maxLength)
  return message
}

export function checkMaxLength(maxLength: number | undefined): number {
  return maxLength === undefined ? Infinity : checkInteger('maxLength', maxLength, 0)
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
