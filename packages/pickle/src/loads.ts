/**
 * Messages to values.
 *
 * @module
 */
import { readBytes } from './decode/binary.js'
import { Reader } from './decode/reader.js'
import { readString } from './decode/strings.js'
import { readValue } from './decode/value.js'
import { UnpicklingError } from './errors.js'
import { loadAhead, loadNow, type ModuleName } from './modules/load.js'
import { HAS_TRAILER, VERSION } from './tags.js'

/** Options of `loads` and `loadsAsync`. */
export interface LoadsOptions {
  /**
   * Accept plain data only: refuse, before anything is evaluated, a message that would import a
   * module or run code. For bytes from strangers.
   *
   * @default false
   */
  dataOnly?: boolean
  /**
   * Makes the `ArrayBuffer` for bytes of the message from `start` on, where the caller keeps the message; for
   * decoding without copying. It decides what becomes of later changes.
   *
   * @default a copy
   */
  place?: ((start: number, byteLength: number) => ArrayBuffer) | undefined
}

let spare: Reader | undefined = new Reader()

/**
 * Decodes what `dumps` made.
 *
 * Modules that the message refers to are loaded at once if they are not yet, as `require` does;
 * one with a top-level await cannot be loaded so: use {@link loadsAsync}. The bytes are not kept.
 *
 * @throws UnpicklingError when the bytes are malformed, or name what is not there.
 */
export function loads(bytes: Uint8Array, options?: LoadsOptions): unknown {
  return decode(bytes, undefined, options?.dataOnly === true, false, options?.place)
}

/** Decodes a message of `byteLength` bytes that lies at the start of longer memory, as {@link loads} does. */
export function loadsFrom(bytes: Uint8Array, byteLength: number): unknown {
  return decode(bytes, byteLength, false, false)
}

/**
 * Decodes what `dumps` made, after importing the modules that it refers to.
 *
 * @throws UnpicklingError as {@link loads}; and whatever a module throws when it is imported.
 */
export async function loadsAsync(bytes: Uint8Array, options?: LoadsOptions): Promise<unknown> {
  if (options?.dataOnly !== true) {
    const modules = modulesOf(bytes)
    if (modules.length > 0) await Promise.all(modules.map(loadAhead))
  }
  return loads(bytes, options)
}

/**
 * Tells whether decoding a message would import modules, so that `loadsAsync` is to be preferred.
 *
 * @param byteLength of the message, which may lie at the start of longer memory.
 */
export function needsModules(bytes: Uint8Array, byteLength: number = bytes.length): boolean {
  if (bytes[0] !== (VERSION | HAS_TRAILER)) return false
  // CommonJS is loaded at once either way.
  return modulesOf(bytes, byteLength).some(({ kind }) => kind.startsWith('import'))
}

function modulesOf(bytes: Uint8Array, byteLength?: number): readonly ModuleName[] {
  return decode(bytes, byteLength, false, true) as readonly ModuleName[]
}

/**
 * @param byteLength of the message; undefined: all of `bytes`.
 * @param onlyModules whether to return the modules that the message needs, and read no further.
 */
function decode(
  bytes: Uint8Array,
  byteLength: number | undefined,
  dataOnly: boolean,
  onlyModules: boolean,
  place?: LoadsOptions['place'],
): unknown {
  // Reviving an object may itself decode something while the reader is in use.
  const r = spare ?? new Reader()
  spare = undefined
  try {
    r.bytes = plainView(bytes)
    r.position = 1
    r.limit = byteLength ?? r.bytes.length
    r.end = r.limit
    r.dataOnly = dataOnly
    r.place = place
    const header = r.limit > 0 ? r.bytes[0] : 0
    if ((header & ~HAS_TRAILER) !== VERSION) {
      throw new UnpicklingError(`Not a message of this version (first byte ${header})`)
    }
    if (header >= HAS_TRAILER) readTrailer(r)
    if (onlyModules) return r.modules
    // Before any value: what is revived and then has to be decoded again would arrive twice.
    if (r.modules.length > 0 && !dataOnly) r.loaded = r.modules.map(loadNow)
    const value = readValue(r)
    if (r.position !== r.end) throw r.malformed('its length is wrong')
    return value
  } catch (error) {
    throw explain(r, error)
  } finally {
    r.reset()
    spare = r
  }
}

function explain(r: Reader, error: unknown): unknown {
  if (error instanceof UnpicklingError) return error
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    const text = 'The message is nested too deeply for the stack that is left'
    return new UnpicklingError(text, { cause: error })
  }
  // What a hook or module throws is its own. Without those, a builtin did not like its argument.
  if (!r.dataOnly) return error
  return new UnpicklingError('Malformed message: a value is not possible', { cause: error })
}

/** A Buffer's slice() would not copy: decoding works on the plain view of the same bytes. */
function plainView(bytes: Uint8Array): Uint8Array {
  if (bytes?.constructor === Uint8Array) return bytes
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(`Expected \`bytes\` to be a Uint8Array, got \`${typeof bytes}\``)
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function readTrailer(r: Reader): void {
  r.position = r.limit - 4
  r.end = r.uint32()
  r.position = r.end
  r.modules = Array.from({ length: r.count() }, () => ({
    specifier: readString(r),
    parent: readString(r),
    kind: readString(r),
  }))
  r.parts = Array.from({ length: r.count() }, () => {
    const start = r.varint()
    return { start, buffer: readBytes(r) }
  })
  r.position = 1
}
