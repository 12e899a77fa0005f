/**
 * The wire format, byte by byte.
 *
 * A message is a header byte, the body (one value) and, when the header's top bit says so, a
 * trailer (module table, shared buffers) whose offset is the last four bytes. All numbers are
 * little-endian. Bytes are for processes of one installation: there is no compatibility between
 * versions, only the check of the header.
 *
 * | first byte  | value                                         |
 * | ----------- | --------------------------------------------- |
 * | 0x00 … 0x7f | the integer itself                            |
 * | 0x80 … 0x9f | an ASCII string of 0 … 31 characters          |
 * | 0xa0 …      | one of the tags below                         |
 *
 * Every object gets the next number when its tag is met; `REF` names an earlier one.
 *
 * @module
 */

/** Format version, the low seven bits of the header byte. */
export const VERSION = 2
/** Set in the header when a trailer follows the body. */
export const HAS_TRAILER = 0x80

export const FIXSTR = 0x80
export const FIRST_TAG = 0xa0

// Primitives.
export const UNDEFINED = 0xa0
export const NULL = 0xa1
export const TRUE = 0xa2
export const FALSE = 0xa3
export const INT8 = 0xa4
export const INT16 = 0xa5
export const INT32 = 0xa6
export const FLOAT64 = 0xa7
export const BIGINT64 = 0xa8
export const BIGINT = 0xa9
export const LATIN1 = 0xaa
export const UTF16 = 0xab
export const SYMBOL = 0xad

// References and ordinary containers.
export const REF = 0xae
/** Decodes one value, drops it, and is the next one. */
export const COMMA = 0xaf
/** An object by a new shape: see `shapes.ts`. */
export const OBJECT_NEW_SHAPE = 0xb0
/** An object of a shape met earlier in this message. */
export const OBJECT = 0xb1
/** Many or unusual keys: count, then key and value in turn. */
export const DICTIONARY = 0xb2
export const NULL_PROTOTYPE = 0xb3
export const ARRAY = 0xb4
export const ARRAY_INT8 = 0xb5
export const ARRAY_INT16 = 0xb6
export const ARRAY_INT32 = 0xb7
export const ARRAY_FLOAT64 = 0xb8
/** Length, then runs: holes, or count and values; then own named properties. */
export const ARRAY_SPARSE = 0xb9
export const MAP = 0xba
export const SET = 0xbb

/** The bytes of longer array buffers start at a multiple of 8 in the message, so that they can be used where they are. */
export const ALIGNED_BYTES = 4_096

// Builtin objects.
export const DATE = 0xbc
export const REGEXP = 0xbd
export const BOXED = 0xbe
export const ARRAY_BUFFER = 0xbf
/** A view of a whole buffer whose bytes follow. */
export const VIEW_OWN = 0xc0
/** A view of a buffer that has a number in this message. */
export const VIEW_REF = 0xc1
/** A view of a part of a buffer that stands in the trailer. */
export const VIEW_PART = 0xc2
export const ERROR = 0xc3
export const DOM_EXCEPTION = 0xc4
export const URL_OBJECT = 0xc5
export const URL_SEARCH_PARAMS = 0xc6

// Classes, hooks.
/** Class, then own fields as a dictionary or shape. */
export const INSTANCE = 0xc7
/** Class, own fields, then a builtin object whose prototype is the class's. */
export const SUBCLASS = 0xc8
/** Prototype object, then own fields. */
export const WITH_PROTOTYPE = 0xc9
/** Module number, export name, arguments. */
export const REDUCED = 0xca
/** Target (a function or class), arguments. */
export const REDUCED_BY_VALUE = 0xcb

/** An object of a class; number of hidden members; of each its key, flags, and value. */
export const HIDDEN_MEMBERS = 0xd5

// Functions.
/** A well-known global, by path. */
export const GLOBAL = 0xcc
/** Module number and path from its namespace. */
export const EXPORT = 0xcd
/** Class or object, key, and which of its properties. */
export const METHOD = 0xce
/** Code number and captured values. */
export const FUNCTION = 0xcf
/** An object that code compiled here refers to for an assigned variable. */
export const CELL = 0xd0
/** An export of a module that the receiver imports: module number and name (`*`: all of it). */
export const IMPORT = 0xd1
/** The `prototype` of a function. */
export const PROTOTYPE = 0xd2
/** As FUNCTION up to the eager values, of which one led to the function itself; then that. */
export const FUNCTION_SEEN = 0xd4
/** A buffer that stands in the trailer. */
export const ARRAY_BUFFER_PART = 0xd3

/** Kinds of array-buffer views, by number. The order is the format. */
export const VIEW_KINDS: readonly string[] = [
  'Buffer',
  'Uint8Array',
  'Int8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'BigUint64Array',
  'BigInt64Array',
  'DataView',
  'Float16Array',
]

/** Builtin error classes, by number. The order is the format. */
export const ERROR_CLASSES: readonly string[] = [
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
  'SuppressedError',
]
