/**
 * A growable run of bytes, written front to back and used again for every message.
 *
 * @module
 */

const INITIAL_BYTES = 16 * 1024
/** A scratch that grew beyond this for one big message is dropped after it. */
const KEPT_BYTES = 4 * 1024 * 1024
const MAX_BYTES = 2 ** 32 - 1

const float64 = new Float64Array(1)
const float64Bytes = new Uint8Array(float64.buffer)

/** The bytes written so far: `bytes[0 … position)`. */
export class Output {
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES)
  position = 0

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
    this.reserve(source.length)
    this.bytes.set(source, this.position)
    this.position += source.length
  }

  /** Goes on at a multiple of 8. */
  align(): void {
    this.reserve(8)
    while (this.position % 8 !== 0) this.bytes[this.position++] = 0
  }

  /** Starts over, with a small scratch again if the last message was a giant. */
  reset(): void {
    this.position = 0
    if (this.bytes.length > KEPT_BYTES) this.bytes = new Uint8Array(INITIAL_BYTES)
  }

  #grow(needed: number): void {
    if (needed > MAX_BYTES) throw new RangeError('A message cannot exceed 4 GiB')
    const grown = new Uint8Array(Math.min(Math.max(needed, this.bytes.length * 2), MAX_BYTES))
    grown.set(this.bytes.subarray(0, this.position))
    this.bytes = grown
  }
}
