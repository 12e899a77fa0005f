/**
 * A growable run of bytes, written front to back and used again for every message.
 *
 * @module
 */

const INITIAL_BYTES = 16 * 1024
/** Longer runs are not copied into the scratch when the message is written elsewhere anyhow. */
const PIECE_BYTES = 32 * 1024
/** A scratch that grew beyond this for one big message is dropped after it. */
const KEPT_BYTES = 4 * 1024 * 1024
const MAX_BYTES = 2 ** 32 - 1

const float64 = new Float64Array(1)
const float64Bytes = new Uint8Array(float64.buffer)

/** A long run of bytes that belongs before `bytes[position]`, and lies where it was found. */
interface Piece {
  readonly position: number
  readonly source: Uint8Array
  readonly byteLength: number
}

/** The bytes written so far: `bytes[0 … position)`, and the pieces that belong between them. */
export class Output {
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES)
  position = 0
  /** Whether long runs may stay where they are until `copyTo`. */
  keepsPieces = false
  readonly #pieces: Piece[] = []
  #pieceBytes = 0

  /** How many bytes the message has. */
  get byteLength(): number {
    return this.position + this.#pieceBytes
  }

  get pieceCount(): number {
    return this.#pieces.length
  }

  /** Whether all pieces are still as long as they were; code of users may have run since. */
  get isWhole(): boolean {
    return this.#pieces.every(({ source, byteLength }) => source.byteLength === byteLength)
  }

  /** Writes the message, with its pieces, to the start of `target`. */
  copyTo(target: Uint8Array): void {
    let from = 0
    let to = 0
    for (const { position, source, byteLength } of this.#pieces) {
      target.set(this.bytes.subarray(from, position), to)
      target.set(source, to + position - from)
      to += position - from + byteLength
      from = position
    }
    target.set(this.bytes.subarray(from, this.position), to)
  }

  /** Goes back to where the message had that length and so many pieces. */
  rewind(position: number, pieceCount: number): void {
    this.position = position
    for (const { byteLength } of this.#pieces.splice(pieceCount)) this.#pieceBytes -= byteLength
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.position + count > this.bytes.length) this.#grow(this.position + count)
  }

  byte(value: number): void {
    if (this.position === this.bytes.length) this.#grow(this.position + 1)
    this.bytes[this.position++] = value
  }

  /** Writes a non-negative integer below 2^53, seven bits a byte. */
  varint(value: number): void {
    this.reserve(8)
    const { bytes } = this
    let { position } = this
    while (value >= 0x80) {
      bytes[position++] = (value % 0x80) | 0x80
      value = Math.floor(value / 0x80)
    }
    bytes[position++] = value
    this.position = position
  }

  uint32(value: number): void {
    this.reserve(4)
    this.uint32At(this.position, value)
    this.position += 4
  }

  uint32At(position: number, value: number): void {
    const { bytes } = this
    bytes[position] = value
    bytes[position + 1] = value >>> 8
    bytes[position + 2] = value >>> 16
    bytes[position + 3] = value >>> 24
  }

  float64(value: number): void {
    this.reserve(8)
    float64[0] = value
    const { bytes, position } = this
    for (let i = 0; i < 8; i++) bytes[position + i] = float64Bytes[i]
    this.position = position + 8
  }

  raw(source: Uint8Array): void {
    if (this.keepsPieces && source.length >= PIECE_BYTES) {
      if (this.byteLength + source.length > MAX_BYTES) throw tooLong()
      this.#pieces.push({ position: this.position, source, byteLength: source.length })
      this.#pieceBytes += source.length
      return
    }
    this.reserve(source.length)
    this.bytes.set(source, this.position)
    this.position += source.length
  }

  /** Goes on at a multiple of 8 in the message, with its pieces. */
  align(): void {
    this.reserve(8)
    while (this.byteLength % 8 !== 0) this.bytes[this.position++] = 0
  }

  /** Starts over, with a small scratch again if the last message was a giant. */
  reset(): void {
    this.position = 0
    this.keepsPieces = false
    if (this.#pieces.length > 0) this.rewind(0, 0)
    if (this.bytes.length > KEPT_BYTES) this.bytes = new Uint8Array(INITIAL_BYTES)
  }

  #grow(needed: number): void {
    if (needed + this.#pieceBytes > MAX_BYTES) throw tooLong()
    const grown = new Uint8Array(Math.min(Math.max(needed, this.bytes.length * 2), MAX_BYTES))
    grown.set(this.bytes.subarray(0, this.position))
    this.bytes = grown
  }
}

function tooLong(): RangeError {
  return new RangeError('A message cannot exceed 4 GiB')
}
