/**
 * Memory for the messages of tasks that wait: many in one array, which takes a quarter of what an array for each does.
 *
 * Before each message there is room for one number, which would take twice as much in an object. A slab goes when the last of
 * its tasks is gone, as any object does. Long messages get one of their own, so that a task that waits for long keeps
 * little more than itself.
 *
 * @module
 */

const SLAB_BYTES = 65_536
const LONGEST = 1024
/** The number before each message. */
export const SLAB_HEAD = 8

/** Memory for messages, as bytes, as words, and as the numbers before them. */
export class Slab {
  readonly bytes: Uint8Array
  readonly words: Int32Array
  readonly numbers: Float64Array
  /** Where the next message may begin. */
  used: number = SLAB_HEAD

  constructor(byteLength: number) {
    const buffer = new ArrayBuffer(byteLength)
    this.bytes = new Uint8Array(buffer)
    this.words = new Int32Array(buffer)
    this.numbers = new Float64Array(buffer)
  }
}

/** No memory. */
export const NO_SLAB: Slab = new Slab(0)

let slab = NO_SLAB

/** Finds a slab that has room for a message of `length` bytes from `used` on; the caller moves that. */
export function slabFor(length: number): Slab {
  if (length > LONGEST) return new Slab(SLAB_HEAD + roundUp(length))
  if (slab.used + length > slab.bytes.length) slab = new Slab(SLAB_BYTES)
  return slab
}

/** The next one starts at a multiple of eight, too. */
export function roundUp(length: number): number {
  return (length + 7) & ~7
}
