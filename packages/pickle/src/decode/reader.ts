/**
 * The state of one message being read.
 *
 * @module
 */
import { UnpicklingError } from '../errors.js'
import { empty } from '../empty.js'
import type { ModuleName } from '../modules/load.js'

const float64 = new Float64Array(1)
const float64Bytes = new Uint8Array(float64.buffer)

const NO_BYTES = new Uint8Array(0)
const NONE: readonly never[] = []

export class Reader {
  bytes: Uint8Array = NO_BYTES
  position = 0
  /** End of the message in `bytes`. */
  limit = 0
  /** End of the body; the trailer, if any, stands behind it. */
  end = 0
  /** Objects by number. */
  readonly objects: unknown[] = []
  readonly shapes: Shape[] = []
  modules: readonly ModuleName[] = NONE
  /** What these are, once they are loaded. */
  loaded: readonly unknown[] = NONE
  parts: readonly { buffer: ArrayBuffer; start: number }[] = NONE
  /** Codes by number: see `functions/revive.ts`. */
  readonly codes: unknown[] = []
  /** Refuses whatever would import a module or run code. */
  dataOnly = false
  /** Makes the buffer for bytes of the message, in place of a copy. */
  place: ((start: number, byteLength: number) => ArrayBuffer) | undefined

  byte(): number {
    if (this.position >= this.limit) throw this.malformed('it ends too early')
    return this.bytes[this.position++]
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.byte()
      if (byte < 0x80) return value + byte * scale
      value += (byte - 0x80) * scale
      scale *= 0x80
      if (scale > 2 ** 56) throw this.malformed('a number is too long')
    }
  }

  /** Reads a count of things of which each takes at least a byte. */
  count(): number {
    const count = this.varint()
    if (count > this.limit - this.position) throw this.malformed('a count is too large')
    return count
  }

  uint32(): number {
    const { bytes } = this
    const start = this.skip(4)
    return (
      (bytes[start] | (bytes[start + 1] << 8) | (bytes[start + 2] << 16)) +
      bytes[start + 3] * 2 ** 24
    )
  }

  float64(): number {
    const { bytes } = this
    const start = this.skip(8)
    for (let i = 0; i < 8; i++) float64Bytes[i] = bytes[start + i]
    return float64[0]
  }

  /** Moves past `length` bytes. @returns where they begin. */
  skip(length: number): number {
    const start = this.position
    if (!(start + length <= this.limit)) throw this.malformed('it ends too early')
    this.position = start + length
    return start
  }

  /** Goes on at a multiple of 8. */
  align(): void {
    this.skip(-this.position & 7)
  }

  malformed(what: string): UnpicklingError {
    return new UnpicklingError(`Malformed message: ${what} (byte ${this.position})`)
  }

  requireTrust(what: string): void {
    if (this.dataOnly) {
      throw new UnpicklingError(`The message holds ${what}, and \`dataOnly\` accepts none`)
    }
  }

  reset(): void {
    empty(this.objects)
    empty(this.shapes)
    if (this.codes.length > 0) this.codes.length = 0
    this.modules = NONE
    this.loaded = NONE
    this.parts = NONE
    this.bytes = NO_BYTES
    this.place = undefined
  }
}

/** A key list, and when it has proved common, a builder generated for it. */
export interface Shape {
  readonly keys: readonly string[]
  uses: number
  build:
    | ((reader: Reader, objects: unknown[], read: (reader: Reader) => unknown) => object)
    | undefined
}
