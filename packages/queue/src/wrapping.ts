/**
 * Items of an acknowledged queue that have handles in them.
 *
 * Such an item may be decoded several times, so it names no copies of its handles that the first decoding would take
 * off. They stay with the queue until the item is done, and the message says which they are, in front of the item.
 *
 * @module
 */
import { type CopyTo, type ObjectCopy, Outgoing, type Target } from '@mp/shared-memory/internal'

/** No message of the serializer begins so. */
const WRAPPED = 0xff
/** The mark, padding, how many copies. */
const HEAD_BYTES = 8
/** Place, use, object. */
const COPY_BYTES = 12

/** An item on its way into the queue: a message with the copies that it carries in front. */
export class WrappedOutgoing extends Outgoing {
  constructor(target: Target, through: number, isFirst: boolean, maxBytes: number) {
    super(target, through, isFirst, maxBytes, true)
  }

  override write(bytes: Uint8Array, length: number, copyTo?: CopyTo): void {
    if (this.count === 0) return super.write(bytes, length, copyTo)
    const message = new Uint8Array(length)
    if (copyTo === undefined) message.set(bytes.subarray(0, length))
    else copyTo(message)
    const wrapped = wrap(message, this.copies())
    super.write(wrapped, wrapped.byteLength)
  }
}

/** A message with these copies in front; without any, the message itself. */
export function wrap(message: Uint8Array, copies: readonly ObjectCopy[]): Uint8Array {
  if (copies.length === 0) return message
  const head = HEAD_BYTES + copies.length * COPY_BYTES
  const wrapped = new Uint8Array(head + message.byteLength)
  const view = new DataView(wrapped.buffer)
  wrapped[0] = WRAPPED
  view.setInt32(4, copies.length, true)
  copies.forEach(({ place, use, object }, n) => {
    view.setInt32(HEAD_BYTES + n * COPY_BYTES, place, true)
    view.setInt32(HEAD_BYTES + n * COPY_BYTES + 4, use, true)
    view.setInt32(HEAD_BYTES + n * COPY_BYTES + 8, object, true)
  })
  wrapped.set(message, head)
  return wrapped
}

/** A message, and the copies that it carries. */
export interface Unwrapped {
  readonly message: Uint8Array<ArrayBuffer>
  readonly copies: readonly ObjectCopy[]
}

const NONE: readonly ObjectCopy[] = []

/** Takes what `wrap` has put in front from a message. */
export function unwrap(bytes: Uint8Array<ArrayBuffer>): Unwrapped {
  if (bytes[0] !== WRAPPED) return { message: bytes, copies: NONE }
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const count = view.getInt32(4, true)
  const copies = Array.from({ length: count }, (_, n) => {
    const at = HEAD_BYTES + n * COPY_BYTES
    return {
      place: view.getInt32(at, true),
      use: view.getInt32(at + 4, true),
      object: view.getInt32(at + 8, true),
    }
  })
  return { message: bytes.subarray(HEAD_BYTES + count * COPY_BYTES), copies }
}
