/**
 * Builtin objects other than plain ones and arrays to bytes.
 *
 * A prototype tells what an object seems to be; its brand (an internal slot, seen through
 * `util.types`) what it is. Only both together make it a builtin: `Object.create(Map.prototype)`
 * is no Map.
 *
 * @module
 */
import { types } from 'node:util'
import * as tag from '../tags.js'
import { writeBuffer, writeView } from './binary.js'
import { writeError } from './errors.js'
import { writeMap, writeSet } from './objects.js'
import { writeString } from './strings.js'
import { writeBigInt, writeSymbol, writeValue } from './value.js'
import type { Writer } from './writer.js'

type Write = (w: Writer, object: never) => void

interface Kind {
  readonly isReal: (object: object) => boolean
  /** Writes the object's own data; it is registered already, except buffers and views. */
  readonly write: Write
}

const kinds: Map<object, Kind> = new Map()

/** Writes and registers a builtin object. @returns false, with nothing written, if it is none. */
export function writeBuiltin(w: Writer, object: object, prototype: object): boolean {
  const kind = kinds.get(prototype)
  if (kind === undefined || !kind.isReal(object)) return false
  kind.write(w, object as never)
  return true
}

/** Finds the builtin prototype whose brand an object of another class carries. */
export function builtinPrototypeOf(object: object): object | undefined {
  for (let prototype: object | null = object; prototype !== null;) {
    if (prototype === Object.prototype) return undefined
    const kind = kinds.get(prototype)
    if (kind?.isReal(object)) return prototype
    prototype = Object.getPrototypeOf(prototype) as object | null
  }
  // Of another realm (a vm context): the brand alone decides.
  for (const [prototype, kind] of kinds) if (kind.isReal(object)) return prototype
  return undefined
}

function define(constructor: { prototype: object }, isReal: Kind['isReal'], write: Write): void {
  kinds.set(constructor.prototype, { isReal, write })
}

/** Registers an object, then writes it: for all that can contain itself or be shared. */
function registered<T extends object>(write: (w: Writer, object: T) => void): Write {
  return (w, object: T) => {
    w.register(object)
    write(w, object)
  }
}

define(Map, types.isMap, registered(writeMap))
define(Set, types.isSet, registered(writeSet))
define(
  Date,
  types.isDate,
  registered<Date>((w, date) => {
    w.out.byte(tag.DATE)
    w.out.float64(date.getTime())
  }),
)
define(
  RegExp,
  types.isRegExp,
  registered<RegExp>((w, regexp) => {
    w.out.byte(tag.REGEXP)
    writeString(w.out, regexp.source)
    writeString(w.out, regexp.flags)
  }),
)
for (const constructor of [Number, String, Boolean]) {
  define(
    constructor,
    (object) =>
      types.isBoxedPrimitive(object) && typeof object.valueOf() === constructor.name.toLowerCase(),
    registered<object>((w, boxed) => {
      w.out.byte(tag.BOXED)
      writeValue(w, boxed.valueOf())
    }),
  )
}
define(
  BigInt,
  types.isBigIntObject,
  registered<object>((w, boxed) => {
    w.out.byte(tag.BOXED)
    writeBigInt(w.out, boxed.valueOf() as bigint)
  }),
)
define(
  Symbol,
  types.isSymbolObject,
  registered<object>((w, boxed) => {
    w.out.byte(tag.BOXED)
    writeSymbol(w, boxed.valueOf() as symbol)
  }),
)
define(ArrayBuffer, (object) => types.isArrayBuffer(object), writeBuffer)
for (const name of tag.VIEW_KINDS) {
  const constructor = (globalThis as unknown as Record<string, { prototype: object } | undefined>)[
    name
  ]
  if (constructor) {
    define(
      constructor,
      (object) =>
        name === 'DataView'
          ? types.isDataView(object)
          : name === 'Buffer'
            ? Buffer.isBuffer(object)
            : types.isTypedArray(object) && (object as Uint8Array)[Symbol.toStringTag] === name,
      (w, view: ArrayBufferView) => writeView(w, view, name),
    )
  }
}
for (const name of tag.ERROR_CLASSES) {
  const constructor = (globalThis as unknown as Record<string, { prototype: object } | undefined>)[
    name
  ]
  if (constructor) define(constructor, types.isNativeError, writeError)
}
define(DOMException, (object) => hasBrand(DOMException.prototype, 'code', object), writeError)
define(
  URL,
  (object) => hasBrand(URL.prototype, 'href', object),
  registered<URL>((w, url) => {
    w.out.byte(tag.URL_OBJECT)
    writeString(w.out, url.href)
  }),
)
define(
  URLSearchParams,
  (object) => hasBrand(URLSearchParams.prototype, 'size', object),
  registered<URLSearchParams>((w, parameters) => {
    w.out.byte(tag.URL_SEARCH_PARAMS)
    writeString(w.out, parameters.toString())
  }),
)

/** Asks a getter of a class written in JavaScript, which checks its receiver. */
function hasBrand(prototype: object, getter: string, object: object): boolean {
  try {
    Reflect.get(prototype, getter, object)
    return true
  } catch {
    return false
  }
}
