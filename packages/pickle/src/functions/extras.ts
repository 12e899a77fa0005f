/**
 * What a function has beyond its source: a name given to it, properties, additions to its prototype.
 *
 * @module
 */
import type { Callable, CodeRecord } from './records.js'

export interface Extras {
  /** Its name, where the source alone would give another. */
  readonly name: string | undefined
  /** The constructor that a plain function's `prototype` inherits from. */
  readonly parent: Callable | undefined
  readonly own: readonly (readonly [string, unknown])[]
  readonly prototype: readonly (readonly [string, unknown])[]
}

const BUILT_IN = new Set(['length', 'name', 'prototype', 'arguments', 'caller'])

export function extrasOf(fn: Callable, { code, layout }: CodeRecord): Extras {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value
  const source = code.body
  return {
    name: typeof name === 'string' && name !== code.naturalName ? name : undefined,
    parent: code.isClass ? undefined : parentOf(fn),
    own: membersOf(fn, layout?.staticMethods, source).filter(
      ([key]) => !BUILT_IN.has(key) && !layout?.remade.has(key),
    ),
    prototype: isObject(fn.prototype)
      ? membersOf(fn.prototype, layout?.methods, source).filter(([key]) => key !== 'constructor')
      : [],
  }
}

/** Own data properties, without the methods that the source makes. */
function membersOf(
  holder: object,
  methods: ReadonlySet<string> | undefined,
  source: string,
): [string, unknown][] {
  const members: [string, unknown][] = []
  for (const key of Object.getOwnPropertyNames(holder)) {
    const descriptor = Object.getOwnPropertyDescriptor(holder, key)!
    if (!('value' in descriptor)) continue
    const value: unknown = descriptor.value
    const maybeMade = methods?.has(key) === true || !descriptor.enumerable
    if (typeof value === 'function' && maybeMade && isMadeBy(source, value as Callable)) continue
    members.push([key, value])
  }
  return members
}

/** The body that made a method: to look for it is slow, and methods stay. */
const makers: WeakMap<Callable, string> = new WeakMap()

function isMadeBy(source: string, method: Callable): boolean {
  if (makers.get(method) === source) return true
  if (!source.includes(Function.prototype.toString.call(method))) return false
  makers.set(method, source)
  return true
}

/** For `Child.prototype = Object.create(Parent.prototype)`: Parent. */
function parentOf(fn: Callable): Callable | undefined {
  if (!isObject(fn.prototype)) return undefined
  const parent = Object.getPrototypeOf(fn.prototype) as object | null
  if (parent === null || parent === Object.prototype) return undefined
  const constructor: unknown = Object.getOwnPropertyDescriptor(parent, 'constructor')?.value
  // Generators have a prototype chain of their own.
  return typeof constructor === 'function' && constructor.prototype === parent
    ? (constructor as Callable)
    : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
