/** What all pools run. */

export const noop = (): number => 1
export const square = (n: number): number => n * n
export const echo = (bytes: Uint8Array): Uint8Array => bytes
