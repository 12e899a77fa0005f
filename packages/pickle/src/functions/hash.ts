/**
 * A hash of a text, for telling texts apart that nobody forges.
 *
 * MurmurHash3 in its form of 128 bits for machines of 32 (Austin Appleby, public domain:
 * github.com/aappleby/smhasher). It takes 16 bytes a round: code that is sent once is hashed before V8 has
 * compiled this, and a loop over its characters took a third of all the rest. Loading `node:crypto`
 * takes longer still.
 *
 * @module
 */

/** @returns 128 bits, as letters and digits. */
export function hashOf(text: string): string {
  const bytes = Buffer.from(text)
  const { length } = bytes
  // Padded by zeros: the length, which is mixed in at the end, tells those from a text's own.
  const words = new Int32Array(((length + 15) >> 4) << 2)
  new Uint8Array(words.buffer).set(bytes)
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  for (let i = 0; i < words.length; i += 4) {
    let k = Math.imul(words[i], A)
    a ^= Math.imul((k << 15) | (k >>> 17), B)
    a = (Math.imul(((a << 19) | (a >>> 13)) + b, 5) + 0x561ccd1b) | 0
    k = Math.imul(words[i + 1], B)
    b ^= Math.imul((k << 16) | (k >>> 16), C)
    b = (Math.imul(((b << 17) | (b >>> 15)) + c, 5) + 0x0bcaa747) | 0
    k = Math.imul(words[i + 2], C)
    c ^= Math.imul((k << 17) | (k >>> 15), D)
    c = (Math.imul(((c << 15) | (c >>> 17)) + d, 5) + 0x96cd1c35) | 0
    k = Math.imul(words[i + 3], D)
    d ^= Math.imul((k << 18) | (k >>> 14), A)
    d = (Math.imul(((d << 13) | (d >>> 19)) + a, 5) + 0x32ac3b17) | 0
  }
  ;[a, b, c, d] = spread(a ^ length, b ^ length, c ^ length, d ^ length).map(avalanche)
  return spread(a, b, c, d)
    .map((word) => (word >>> 0).toString(36))
    .join('.')
}

const A = 0x239b961b
const B = 0xab0e9789
const C = 0x38b34ae5
const D = 0xa1e38b93

/** Makes each word depend on all. */
function spread(a: number, b: number, c: number, d: number): number[] {
  const sum = (a + b + c + d) | 0
  return [sum, (b + sum) | 0, (c + sum) | 0, (d + sum) | 0]
}

/** Makes each bit of a word depend on all of its bits. */
function avalanche(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
