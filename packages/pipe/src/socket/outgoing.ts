/**
 * One message on its way into a socket, as pieces that are to be written one after the other.
 *
 * Short messages are one piece. Of long ones the frames' headers, their contents (not copied) and the
 * last byte, which alone makes it a message, are pieces of their own.
 *
 * @module
 */
import { COMMIT, MAX_PART, PART, PART_HEADER, TOTAL, TOTAL_HEADER, WITHDRAW } from './frames.js'

export class Outgoing {
  readonly #message: Uint8Array
  #piece: Uint8Array
  /** How much of the piece is written. */
  #at = 0
  /** How much of the message has been a piece. */
  #framed = 0
  /** Whether the piece is a header whose content is to follow. */
  #isHeader = false
  /** Whether the piece ends the message. */
  #isLast = false
  #isBegun = false
  #isWithdrawn = false

  /** @param message must not change until it is written. */
  constructor(message: Uint8Array) {
    this.#message = message
    const { byteLength } = message
    if (byteLength <= MAX_PART) {
      this.#piece = whole(message)
      this.#isLast = true
    } else {
      this.#piece = concatenate(announcement(byteLength), header(MAX_PART))
      this.#isHeader = true
    }
  }

  /** Whether some of it was written. */
  get isBegun(): boolean {
    return this.#isBegun
  }

  get isDone(): boolean {
    return this.#isLast && this.#at === this.#piece.byteLength
  }

  /** What is to be written next; empty only when it is done. */
  rest(): Uint8Array {
    if (this.#at === this.#piece.byteLength && !this.#isLast) this.#step()
    return this.#piece.subarray(this.#at)
  }

  /**
   * What may be written next by somebody who cannot be stopped: the rest of a frame that is begun, but
   * not the byte that makes it a message.
   */
  unstoppable(): Uint8Array {
    const rest = this.rest()
    const isContent = !this.#isHeader && !this.#isLast
    if (this.#at === 0 && !isContent && !this.#isWithdrawn) return rest.subarray(0, 0)
    return rest.subarray(0, this.#isLast && !this.#isWithdrawn ? -1 : undefined)
  }

  /** So many bytes of `rest()` were written. */
  wrote(byteLength: number): void {
    this.#at += byteLength
    this.#isBegun = true
  }

  /** It is not to be sent after all: what is begun ends so that the receiver drops it. */
  withdraw(): void {
    this.#isWithdrawn = true
    // Its last byte belongs to us alone: nobody else is given it, and it is not written.
    if (this.#isLast) this.#piece[this.#piece.byteLength - 1] = WITHDRAW
    else if (this.#isHeader && this.#at === 0) this.#end()
  }

  #step(): void {
    this.#at = 0
    const { byteLength } = this.#message
    if (this.#isHeader) {
      const from = this.#framed
      this.#framed = Math.min(from + MAX_PART, byteLength)
      this.#piece = this.#message.subarray(from, this.#framed)
      this.#isHeader = false
    } else if (this.#framed < byteLength && !this.#isWithdrawn) {
      this.#piece = header(Math.min(MAX_PART, byteLength - this.#framed))
      this.#isHeader = true
    } else {
      this.#end()
    }
  }

  #end(): void {
    this.#piece = Uint8Array.of(this.#isWithdrawn ? WITHDRAW : COMMIT)
    this.#isHeader = false
    this.#isLast = true
  }
}

function whole(message: Uint8Array): Uint8Array {
  const { byteLength } = message
  const piece = new Uint8Array(PART_HEADER + byteLength + 1)
  piece.set(header(byteLength))
  piece.set(message, PART_HEADER)
  piece[PART_HEADER + byteLength] = COMMIT
  return piece
}

function header(byteLength: number): Uint8Array {
  const piece = new Uint8Array(PART_HEADER)
  piece[0] = PART
  new DataView(piece.buffer).setUint32(1, byteLength, true)
  return piece
}

function announcement(byteLength: number): Uint8Array {
  const piece = new Uint8Array(TOTAL_HEADER)
  piece[0] = TOTAL
  new DataView(piece.buffer).setFloat64(1, byteLength, true)
  return piece
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.byteLength + b.byteLength)
  both.set(a)
  both.set(b, a.byteLength)
  return both
}
