/**
 * Strings to bytes, without loss: lone surrogates survive.
 *
 * Short ASCII strings are written by a loop, which beats a native call up to about 32 characters
 * (measured: 27 ns for 12 characters against 85 ns); longer ones by Node's own encoders.
 *
 * @module
 */
import { ASCII, FIXSTR, UTF16, UTF8 } from '../tags.js'
import type { Output } from './output.js'

type NativeWrite = (this: Uint8Array, text: string, offset: number) => number

// Node's encoders as methods of Buffer.prototype; they take any Uint8Array.
const { utf8Write, ucs2Write } = Buffer.prototype as unknown as Record<string, NativeWrite>

export function writeString(out: Output, text: string): void {
  const { length } = text
  if (length > 31) return writeLongString(out, text)
  out.reserve(32)
  const { bytes, position } = out
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 127) return writeLongString(out, text)
    bytes[position + 1 + i] = unit
  }
  bytes[position] = FIXSTR + length
  out.position = position + 1 + length
}

function writeLongString(out: Output, text: string): void {
  const { length } = text
  // Three bytes a unit is the worst case; big strings are worth a pass to know.
  out.reserve(5 + (length > 65_536 ? Buffer.byteLength(text, 'utf8') : length * 3))
  const start = out.position + 5
  let written = utf8Write.call(out.bytes, text, start)
  let tag = ASCII
  if (written !== length) {
    tag = UTF8
    if (!isWellFormed(text)) {
      tag = UTF16
      out.reserve(5 + length * 2)
      written = ucs2Write.call(out.bytes, text, start)
    }
  }
  out.bytes[out.position] = tag
  out.uint32At(out.position + 1, written)
  out.position = start + written
}

/** True when no surrogate stands alone, so that UTF-8 can hold the text. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}
