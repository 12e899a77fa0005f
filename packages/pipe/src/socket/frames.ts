/**
 * How messages stand in a stream of bytes.
 *
 * A message is announced by its parts and becomes one by a single byte, COMMIT, as a message in
 * shared memory does by one word: until that byte is written it can be withdrawn, and a sender that
 * dies before it has sent nothing. Numbers are little-endian.
 *
 * | first byte | name     | followed by                        | meaning                                     |
 * | ---------- | -------- | ---------------------------------- | ------------------------------------------- |
 * | 1          | COMMIT   |                                    | what has come is a message                  |
 * | 2          | WITHDRAW |                                    | what has come was not sent after all        |
 * | 3          | NOP      |                                    | nothing: finds out when there is room again |
 * | 4          | PART     | length (4 bytes), so many bytes    | goes on with the message, or begins it      |
 * | 5          | TOTAL    | length (8 bytes, a float)          | begins a message that will be so long       |
 *
 * @module
 */
import { MultiprocessingError } from '@mp/shared-memory/internal'
import { CorruptStreamError } from '../errors.js'

export const COMMIT = 1
export const WITHDRAW = 2
export const NOP = 3
export const PART = 4
export const TOTAL = 5

/** The longest part: what a sender that changes its mind has to write to the end. */
export const MAX_PART: number = 1 << 18
export const PART_HEADER = 5
export const TOTAL_HEADER = 9

/** For strangers, room for so much is made at once; for more only when it has come: a length is easily claimed. */
const STRANGERS_LENGTH = 1 << 26

const NOTHING = new Uint8Array(0)

/** The error for a message that the receiver does not take. */
export function tooLarge(byteLength: number, limit: number): MultiprocessingError {
  return new MultiprocessingError(
    'ERR_MP_MESSAGE_TOO_LARGE',
    `A message of ${byteLength} bytes is too large: the receiver takes ${limit} bytes (raise its \`maxMessageBytes\`)`,
  )
}

/** Puts messages together from pieces of the stream, cut anywhere. */
export class Decoder {
  readonly #limit: number
  readonly #atOnce: number
  readonly #messages: Uint8Array[] = []
  #next = 0
  /** The header that is coming. */
  readonly #header = new Uint8Array(TOTAL_HEADER)
  readonly #view = new DataView(this.#header.buffer)
  #headerLength = 0
  /** Bytes of the current part that have not come. */
  #partLeft = 0
  #message: Uint8Array = NOTHING
  #length = 0
  #total = -1
  #isBegun = false

  /**
   * @param limit the longest message, in bytes.
   * @param isTrusted whether to believe the other side how long a message will be.
   */
  constructor(limit: number, isTrusted: boolean) {
    this.#limit = limit
    this.#atOnce = isTrusted ? limit : STRANGERS_LENGTH
  }

  get hasMessage(): boolean {
    return this.#next < this.#messages.length
  }

  /** Whether the stream may end here without a loss. */
  get isBetween(): boolean {
    return !this.#isBegun && this.#headerLength === 0
  }

  /** How much has come of the message that is not whole. */
  get length(): number {
    return this.#length
  }

  /** Takes the next message; undefined when there is none. */
  take(): Uint8Array | undefined {
    const message = this.#messages[this.#next]
    if (message === undefined) return undefined
    this.#messages[this.#next++] = NOTHING
    if (this.#next === this.#messages.length) {
      this.#messages.length = 0
      this.#next = 0
    }
    return message
  }

  /** Reads a piece of the stream; its bytes are copied. Throws when they make no sense. */
  feed(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length) {
      at = this.#partLeft > 0 ? this.#feedPart(bytes, at) : this.#feedHeader(bytes, at)
    }
  }

  #feedPart(bytes: Uint8Array, at: number): number {
    const end = Math.min(at + this.#partLeft, bytes.length)
    this.#reserve(this.#length + this.#partLeft)
    this.#message.set(bytes.subarray(at, end), this.#length)
    this.#length += end - at
    this.#partLeft -= end - at
    return end
  }

  #feedHeader(bytes: Uint8Array, at: number): number {
    const header = this.#header
    header[this.#headerLength++] = bytes[at]
    const needed = header[0] === PART ? PART_HEADER : header[0] === TOTAL ? TOTAL_HEADER : 1
    const end = Math.min(at + 1 + needed - this.#headerLength, bytes.length)
    for (let i = at + 1; i < end; i++) header[this.#headerLength++] = bytes[i]
    if (this.#headerLength === needed) {
      this.#headerLength = 0
      this.#begin(header[0])
    }
    return end
  }

  #begin(tag: number): void {
    switch (tag) {
      case COMMIT:
        return this.#commit()
      case WITHDRAW:
        if (!this.#isBegun) throw new CorruptStreamError('the end of a message that did not begin')
        return this.#forget()
      case NOP:
        return
      case PART:
        return this.#beginPart(this.#view.getUint32(1, true))
      case TOTAL:
        return this.#announce(this.#view.getFloat64(1, true))
      default:
        throw new CorruptStreamError(`a frame cannot begin with ${tag}`)
    }
  }

  #announce(total: number): void {
    if (this.#isBegun) throw new CorruptStreamError('a message within another')
    if (!Number.isSafeInteger(total) || total < 0) {
      throw new CorruptStreamError(`a message cannot have ${total} bytes`)
    }
    if (total > this.#limit) throw tooLarge(total, this.#limit)
    this.#isBegun = true
    this.#total = total
  }

  #beginPart(length: number): void {
    if (length > MAX_PART) throw new CorruptStreamError(`a part cannot have ${length} bytes`)
    const end = this.#length + length
    if (this.#total >= 0 && end > this.#total) {
      throw new CorruptStreamError('a message is longer than announced')
    }
    if (end > this.#limit) throw tooLarge(end, this.#limit)
    this.#isBegun = true
    this.#partLeft = length
  }

  #commit(): void {
    if (!this.#isBegun) throw new CorruptStreamError('the end of a message that did not begin')
    if (this.#total >= 0 && this.#length !== this.#total) {
      throw new CorruptStreamError('a message is shorter than announced')
    }
    const message = this.#message
    const isExact = message.byteLength === this.#length
    this.#messages.push(isExact ? message : message.slice(0, this.#length))
    this.#forget()
  }

  #forget(): void {
    this.#message = NOTHING
    this.#length = 0
    this.#total = -1
    this.#isBegun = false
  }

  /** Doubles the room, so that copying stays in proportion to what has come. */
  #reserve(length: number): void {
    const { byteLength } = this.#message
    if (length <= byteLength) return
    const room = byteLength === 0 ? length : Math.max(length, 2 * byteLength)
    const grown = bytesOfLength(
      this.#total < 0 ? room : Math.min(this.#total, Math.max(room, this.#atOnce)),
    )
    grown.set(this.#message.subarray(0, this.#length))
    this.#message = grown
  }
}

/** The bytes are not cleared, which for long messages takes as long as receiving them: they are all written over. */
function bytesOfLength(length: number): Uint8Array {
  const { buffer } = Buffer.allocUnsafeSlow(length)
  return new Uint8Array(buffer, 0, length)
}
