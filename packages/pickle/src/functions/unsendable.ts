/**
 * What objects cannot travel, and the way out that the error offers.
 *
 * @module
 */
import { types } from 'node:util'
import { originOf } from './inspector.js'
import { storesOf, type Store } from './lowered-privates.js'
import { hasPrivateElements } from './private-names.js'

type Callable = (...args: never[]) => unknown

/** Builtin classes whose instances are ordinary objects. */
const ORDINARY = new Set(['Object', 'EventEmitter'])
/** Builtin classes that have an encoding of their own, so that classes may extend them. */
const ENCODED = new Set([
  'Array',
  'Map',
  'Set',
  'Date',
  'RegExp',
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
  'Number',
  'String',
  'Boolean',
  'BigInt',
  'Symbol',
  'ArrayBuffer',
  'TypedArray',
  'Uint8Array',
  'Int8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'BigUint64Array',
  'BigInt64Array',
  'DataView',
  'Buffer',
  'URL',
  'URLSearchParams',
  'DOMException',
])

const brands: readonly (readonly [(object: object) => boolean, string])[] = [
  [types.isPromise, 'is a Promise; await it first'],
  [types.isGeneratorObject, 'is a generator in progress; send its values, or the function'],
  [types.isMapIterator, 'is an iterator; send the Map itself, or an array of its entries'],
  [types.isSetIterator, 'is an iterator; send the Set itself, or an array of its values'],
  [types.isWeakMap, 'is a WeakMap; send a Map, or create it in the child (initializer)'],
  [types.isWeakSet, 'is a WeakSet; send a Set, or create it in the child (initializer)'],
  [types.isSharedArrayBuffer, 'is a SharedArrayBuffer; use SharedArray or SharedMemory'],
  [types.isModuleNamespaceObject, 'is a module namespace; import the module where it is used'],
  [types.isExternal, 'is memory of a native addon; create it in the child (initializer)'],
]

/** @returns why an object cannot be sent, as a verb phrase, or undefined if nothing speaks against it. */
export function whyUnsendable(object: object): string | undefined {
  for (const [isSuch, reason] of brands) if (isSuch(object)) return reason
  const tag: unknown = (object as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
  if (typeof tag === 'string' && / Iterator$|^Iterator Helper$/.test(tag)) {
    return 'is an iterator; send an array of its values'
  }
  for (
    let prototype = Object.getPrototypeOf(object) as object | null;
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
    if (typeof constructor !== 'function') continue
    const { reason, stores } = judgementOf(constructor as Callable)
    if (reason !== undefined) return `is ${article(nameOf(object, constructor.name))}${reason}`
    if (stores.some((store) => store.has(object))) {
      return `is ${article(nameOf(object, constructor.name))}${hasPrivates(constructor.name)}`
    }
  }
  return undefined
}

interface Judgement {
  /** Why no instance can go. */
  readonly reason: string | undefined
  /** Where those stand that cannot. */
  readonly stores: readonly Store[]
}

const known: WeakMap<Callable, Judgement> = new WeakMap()

function judgementOf(constructor: Callable): Judgement {
  let judgement = known.get(constructor)
  if (judgement === undefined) {
    const reason = judgeClass(constructor)
    judgement = { reason, stores: reason === undefined ? storesOf(constructor) : [] }
    known.set(constructor, judgement)
  }
  return judgement
}

function judgeClass(constructor: Callable): string | undefined {
  const { name } = constructor
  if (ORDINARY.has(name) || ENCODED.has(name)) return undefined
  if (originOf(constructor) === 'builtin') return '; create it in the child (initializer)'
  if (hasPrivateElements(constructor)) {
    return hasPrivates(name)
  }
  return undefined
}

function hasPrivates(name: string): string {
  return `, and class ${name} has #private fields, which cannot be seen; give it a [reduceSymbol]() hook`
}

function nameOf(object: object, fallback: string): string {
  const constructor: unknown = (object as { constructor?: unknown }).constructor
  return (typeof constructor === 'function' && constructor.name) || fallback
}

/** A name with its article: a Socket, an AbortSignal. */
function article(name: string): string {
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}
