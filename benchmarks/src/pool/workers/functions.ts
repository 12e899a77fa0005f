/** What all pools run. */

export const noop = (): number => 1
export const square = (n: number): number => n * n
export const echo = (bytes: Uint8Array): Uint8Array => bytes

/** Computes for about ten milliseconds; the result depends on every step. */
export const work = (seed: number): number => {
  let x = seed
  for (let i = 0; i < 2_000_000; i++) x = (x * 1_103_515_245 + 12_345) % 2_147_483_648
  return x
}
