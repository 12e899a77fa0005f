/**
 * Values to messages.
 *
 * @module
 */
import { writeParts } from './encode/binary.js'
import { writeString } from './encode/strings.js'
import { writeValue } from './encode/value.js'
import { Writer } from './encode/writer.js'
import { HAS_TRAILER, VERSION } from './tags.js'

/** Options of `dumps`. */
export interface DumpsOptions {
  /**
   * What errors call the value.
   *
   * @default the name of the function, or "the value"
   */
  name?: string
  /**
   * Refuse what `loads(bytes, { dataOnly: true })` would refuse on the other side: functions, instances of
   * classes, objects with a hook. For messages to those who do not trust us.
   *
   * @default false
   */
  dataOnly?: boolean
  /**
   * Asked of each object that has a `[reduceSymbol]` hook, before its hook is called.
   *
   * @returns why the object cannot go, as in `is a Lock; …`; undefined when it can.
   */
  refuse?: (object: object) => string | undefined
}

let spare: Writer | undefined = new Writer()

/**
 * Encodes a value, and everything it refers to, as bytes that `loads` decodes in any process of
 * this installation.
 *
 * Functions and classes travel too: see the package's README for what goes, how, and what not.
 *
 * @returns bytes of exactly the message's length, which the caller owns.
 * @throws PicklingError when something in it cannot be sent, naming the path to it.
 * @example
 * const bytes = dumps({ id: 1, run: (x: number) => x * factor })
 */
export function dumps(value: unknown, options?: DumpsOptions): Uint8Array {
  return encode(value, options, true)
}

/**
 * Encodes a value as {@link dumps} does, without the copy.
 *
 * @returns a view of the encoder's scratch memory, valid until the next call of `encodeInto` or
 * `dumps` in this thread: copy it out before anything else runs.
 */
export function encodeInto(value: unknown, options?: DumpsOptions): Uint8Array {
  return encode(value, options, false)
}

/** What {@link encodeTo} writes a message to. */
export interface Sink {
  /**
   * Takes the message; its bytes are gone when this returns.
   *
   * @param bytes begins with the message, unless `copyTo` is given.
   * @param byteLength how long the message is.
   * @param copyTo writes a message that does not lie in one place to the start of `target`.
   */
  write(bytes: Uint8Array, byteLength: number, copyTo?: (target: Uint8Array) => void): void
}

/**
 * Encodes a value as {@link dumps} does, and writes it to a sink: long buffers are copied once.
 *
 * @throws PicklingError, and whatever `sink.write` throws.
 */
export function encodeTo(value: unknown, sink: Sink): void {
  const w = takeWriter()
  try {
    const { out } = w
    out.keepsPieces = true
    writeMessage(w, value, undefined)
    if (out.pieceCount === 0) return sink.write(out.bytes, out.position)
    if (!out.isWhole) throw w.refuse('has a buffer that changed its length while it was encoded')
    sink.write(out.bytes, out.byteLength, (target) => out.copyTo(target))
  } finally {
    giveWriter(w)
  }
}

function encode(value: unknown, options: DumpsOptions | undefined, copy: boolean): Uint8Array {
  const w = takeWriter()
  try {
    writeMessage(w, value, options)
    const { bytes, position } = w.out
    return copy ? bytes.slice(0, position) : bytes.subarray(0, position)
  } finally {
    giveWriter(w)
  }
}

/** A hook or getter may itself encode something while the writer is in use. */
function takeWriter(): Writer {
  const w = spare ?? new Writer()
  spare = undefined
  return w
}

function giveWriter(w: Writer): void {
  w.reset()
  spare = w
}

function writeMessage(w: Writer, value: unknown, options: DumpsOptions | undefined): void {
  if (typeof value === 'function') w.root = nameOf(value)
  if (options !== undefined) apply(w, options)
  w.out.byte(VERSION)
  try {
    writeValue(w, value)
  } catch (error) {
    if (isStackOverflow(error))
      throw w.refuse('is nested too deeply for the stack that is left', error)
    throw error
  }
  if (w.modules.length > 0 || w.parts.size > 0) writeTrailer(w)
}

function apply(w: Writer, { name, dataOnly = false, refuse }: DumpsOptions): void {
  if (name !== undefined) w.root = name
  w.dataOnly = dataOnly
  w.refusal = refuse
}

/** A function's name; a class may have a static member of that name. */
function nameOf(fn: { name: unknown }): string {
  return typeof fn.name === 'string' ? fn.name : ''
}

function writeTrailer(w: Writer): void {
  const { out } = w
  const start = out.byteLength
  out.bytes[0] = VERSION | HAS_TRAILER
  out.varint(w.modules.length)
  for (const { specifier, parent, kind } of w.modules) {
    writeString(out, specifier)
    writeString(out, parent)
    writeString(out, kind)
  }
  writeParts(w)
  out.uint32(start)
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && /call stack/i.test(error.message)
}
