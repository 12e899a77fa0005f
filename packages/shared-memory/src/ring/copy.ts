/**
 * Copying few bytes: a loop beats the view and the native call that `set` needs (measured: up to about 64 bytes).
 *
 * @module
 */
const SHORT_BYTES = 64

export function isShort(length: number): boolean {
  return length <= SHORT_BYTES
}

export function copyShort(
  from: Uint8Array,
  start: number,
  length: number,
  to: Uint8Array,
  at: number,
): void {
  for (let i = 0; i < length; i++) to[at + i] = from[start + i]
}
