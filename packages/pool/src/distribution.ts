/**
 * How values are spread, in little memory: counts of values in ranges, sixteen for each doubling.
 *
 * So a quantile is known to 5 %. After HdrHistogram, with the exponent and first bits of a float as the range.
 *
 * @module
 */

/** Quantiles of durations, in milliseconds; 0 when there were none. */
export interface Quantiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Bits of the fraction that tell ranges apart. */
const FRACTION_BITS = 4
const SHIFT = 23 - FRACTION_BITS
/** From 2^-17 (8 ns, in milliseconds) to 2^40. */
const LOWEST = (127 - 17) << FRACTION_BITS
export const RANGES: number = (17 + 40) << FRACTION_BITS

const float = new Float32Array(1)
const bits = new Int32Array(float.buffer)

export class Distribution {
  readonly #counts: Float64Array

  /** @param counts as many as `RANGES`, zero at first; may be shared. */
  constructor(counts: Float64Array = new Float64Array(RANGES)) {
    this.#counts = counts
  }

  /** @param value in milliseconds. */
  add(value: number): void {
    float[0] = value
    const range = Math.min(Math.max((bits[0] >>> SHIFT) - LOWEST, 0), RANGES - 1)
    this.#counts[value > 0 ? range : 0]++
  }

  quantiles(): Quantiles {
    // As they are now: others may add to them meanwhile.
    const counts = this.#counts.slice()
    const total = counts.reduce((sum, count) => sum + count, 0)
    const quantile = (share: number): number => quantileOf(counts, Math.ceil(total * share))
    return { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) }
  }
}

function quantileOf(counts: Float64Array, rank: number): number {
  let left = rank
  if (left === 0) return 0
  for (let range = 0; range < RANGES; range++) {
    left -= counts[range]
    if (left <= 0) return middleOf(range)
  }
  return middleOf(RANGES - 1)
}

function middleOf(range: number): number {
  bits[0] = ((range + LOWEST) << SHIFT) | (1 << (SHIFT - 1))
  return float[0]
}
