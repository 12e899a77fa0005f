/**
 * Random numbers that can be had again: by a seed, which every run prints.
 *
 * The generator is Tommy Ettinger's mulberry32: one word of state, good enough to choose what to do next.
 *
 * @module
 */

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** A number from 0 up to, but not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** An integer from `min` up to and including `max`. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.next() * choices.length)]
  }
}

/** The seed that the environment gives (`SEED=5`), or one by the clock. */
export function chooseSeed(): number {
  const given = process.env['SEED']
  return given === undefined || given === '' ? Date.now() % 1_000_000_000 : Number(given)
}
