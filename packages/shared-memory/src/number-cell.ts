/**
 * One number in shared memory, changed by single atomic steps.
 *
 * Whatever the type, the memory holds bits of its width, and `Atomics` changes
 * those: a float is compared as a number and swapped by its bit pattern.
 *
 * @module
 */
import { outOfRange } from './arguments.js'
import { type NumberType, checkNumber } from './number-types.js'

type Bits = number | bigint

/** `Atomics` for a view of either kind of element. */
interface AtomicsOn<View> {
  load(view: View, index: number): Bits
  exchange(view: View, index: number, value: Bits): Bits
  compareExchange(view: View, index: number, expected: Bits, value: Bits): Bits
}

type View = ArrayBufferView & { readonly length: number }

const atomics = Atomics as unknown as AtomicsOn<View>

export class NumberCell {
  readonly #type: NumberType
  readonly #view: View
  readonly #toBits: (value: Bits) => Bits
  readonly #fromBits: (bits: Bits) => Bits

  /** @param byteOffset of the number in `buffer`, a multiple of its size. */
  constructor(type: NumberType, buffer: ArrayBuffer, byteOffset: number) {
    this.#type = type
    const bits = type.integer
      ? type.array
      : type.array.BYTES_PER_ELEMENT === 4
        ? Int32Array
        : BigInt64Array
    this.#view = new bits(buffer, byteOffset, 1)
    if (type.integer) {
      this.#toBits = same
      this.#fromBits = same
      return
    }
    const number = new type.array(1) as { [index: number]: Bits } & { readonly buffer: ArrayBuffer }
    const pattern = new bits(number.buffer) as { [index: number]: Bits }
    this.#toBits = (value) => {
      number[0] = value
      return pattern[0]
    }
    this.#fromBits = (word) => {
      pattern[0] = word
      return number[0]
    }
  }

  load(): Bits {
    return this.#fromBits(atomics.load(this.#view, 0))
  }

  exchange(value: unknown): Bits {
    const next = checkNumber(this.#type, 'value', value)
    return this.#fromBits(atomics.exchange(this.#view, 0, this.#toBits(next)))
  }

  compareExchange(expected: unknown, value: unknown): Bits {
    const wanted = this.#round(checkNumber(this.#type, 'expected', expected))
    const next = this.#toBits(checkNumber(this.#type, 'value', value))
    for (;;) {
      const bits = atomics.load(this.#view, 0)
      const old = this.#fromBits(bits)
      // 0 and -0 are the same, and so are all NaNs: they differ in their bits only.
      if (old !== wanted && !(Number.isNaN(old) && Number.isNaN(wanted))) return old
      if (atomics.compareExchange(this.#view, 0, bits, next) === bits) return old
    }
  }

  add(n: unknown): Bits {
    const term = this.#checkTerm(n)
    for (;;) {
      const bits = atomics.load(this.#view, 0)
      const old = this.#fromBits(bits)
      const sum = plus(old, term)
      this.#checkSum(old, term, sum)
      if (atomics.compareExchange(this.#view, 0, bits, this.#toBits(sum)) === bits) return old
    }
  }

  /** A term need not fit the type (-1 for an unsigned one): the sum must. */
  #checkTerm(n: unknown): Bits {
    const type = this.#type
    if (!type.integer) return checkNumber(type, 'n', n)
    if (type.big && typeof n === 'bigint') return n
    if (typeof n === 'number' && Number.isSafeInteger(n)) return type.big ? BigInt(n) : n
    return checkNumber(type, 'n', n)
  }

  #checkSum(old: Bits, term: Bits, sum: Bits): void {
    const { integer, name, min, max } = this.#type
    if (!integer || (sum >= min && sum <= max)) return
    throw outOfRange(
      'n',
      `such that ${old} + n is from ${min} to ${max} (${name}); nothing is changed`,
      term,
    )
  }

  #round(value: Bits): Bits {
    return this.#fromBits(this.#toBits(value))
  }
}

function same(value: Bits): Bits {
  return value
}

function plus(a: Bits, b: Bits): Bits {
  return typeof a === 'bigint' ? a + (b as bigint) : a + (b as number)
}
