/**
 * Copying few bytes: a loop beats the view and the native call that `set` needs.
 *
 * Measured: by words up to some 300 bytes, by bytes up to some 50. Words need a second view, which is remembered for
 * the memory that comes again and again: an encoder's scratch.
 *
 * @module
 */
const MAX_BY_WORDS = 256
const MAX_BY_BYTES = 48
/** Larger memory is not an encoder's, and not to be kept alive by us. */
const MAX_REMEMBERED = 65_536

let known: Uint8Array | undefined
let knownWords: Int32Array | undefined

/**
 * Copies the first `length` bytes of `from` into memory of which there are both views.
 *
 * @param at a multiple of four; up to the next one behind the copy may be written.
 */
export function copyIn(
  from: Uint8Array,
  length: number,
  to: Uint8Array,
  toWords: Int32Array,
  at: number,
): void {
  if (length <= MAX_BY_WORDS) {
    if (from === known && knownWords !== undefined)
      return copyWords(knownWords, 0, length, toWords, at >>> 2)
    remember(from)
    if (length <= MAX_BY_BYTES) {
      for (let i = 0; i < length; i++) to[at + i] = from[i]
      return
    }
  }
  to.set(from.byteLength === length ? from : from.subarray(0, length), at)
}

/** Copies whole words: all of the last one that the bytes reach into. */
export function copyWords(
  from: Int32Array,
  start: number,
  length: number,
  to: Int32Array,
  at: number,
): void {
  const count = (length + 3) >>> 2
  for (let i = 0; i < count; i++) to[at + i] = from[start + i]
}

/** Whether `copyWords` is the way to copy so many bytes. */
export function isShort(length: number): boolean {
  return length <= MAX_BY_WORDS
}

/** Makes a view of words for memory that comes a second time. */
function remember(bytes: Uint8Array): void {
  const { byteLength } = bytes
  if (bytes !== known) {
    known = byteLength <= MAX_REMEMBERED ? bytes : undefined
    knownWords = undefined
  } else if (((bytes.byteOffset | byteLength) & 3) === 0) {
    knownWords = new Int32Array(bytes.buffer, bytes.byteOffset, byteLength >>> 2)
  }
}
