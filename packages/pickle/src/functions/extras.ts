/**
 * What a function has beyond its source: a name given to it, properties, additions to its prototype.
 *
 * @module
 */
import { isCommonSymbol } from '../symbols.js'
import { BUILT_IN } from './built-in.js'
import type { Callable, CodeRecord } from './records.js'

export interface Extras {
  /** Its name, where the source alone would give another. */
  readonly name: string | undefined
  /** The constructor that a plain function's `prototype` inherits from. */
  readonly parent: Callable | undefined
  readonly own: readonly Member[]
  readonly prototype: readonly Member[]
}

/** A property that the source alone does not make. */
export interface Member {
  readonly key: string | symbol
  readonly descriptor: PropertyDescriptor
}

type Names = ReadonlySet<string | symbol>

const NONE: Names = new Set()
/** What its prototype has. */
const CONSTRUCTOR: Names = new Set(['constructor'])

export function extrasOf(fn: Callable, { code, layout, text }: CodeRecord): Extras {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value
  return {
    name: typeof name === 'string' && name !== code.naturalName ? name : undefined,
    parent: code.isClass ? undefined : parentOf(fn),
    own: membersOf(fn, BUILT_IN, layout?.remade ?? NONE, layout?.staticMethods ?? NONE, text),
    prototype: isObject(fn.prototype)
      ? membersOf(fn.prototype, CONSTRUCTOR, NONE, layout?.methods ?? NONE, text)
      : [],
  }
}

/** Whether there is more than a name: asked often, of functions that have nothing. */
export function hasExtras(fn: Callable, record: CodeRecord): boolean {
  const { prototype } = fn as { prototype?: unknown }
  const isBare =
    hasNoMore(fn, BUILT_IN) && (!isObject(prototype) || hasNoMore(prototype, CONSTRUCTOR))
  if (isBare) return false
  const { own, prototype: members } = extrasOf(fn, record)
  return own.length > 0 || members.length > 0
}

function hasNoMore(holder: object, names: Names): boolean {
  return Reflect.ownKeys(holder).every((key) => names.has(key))
}

/** Own properties, without the methods and accessors that the source makes. */
function membersOf(
  holder: object,
  builtIn: Names,
  remade: Names,
  methods: Names,
  source: string,
): Member[] {
  const members: Member[] = []
  for (const key of Reflect.ownKeys(holder)) {
    if (builtIn.has(key) || remade.has(key)) continue
    // Another process cannot have the symbol.
    if (typeof key === 'symbol' && !isCommonSymbol(key)) continue
    const descriptor = Object.getOwnPropertyDescriptor(holder, key)!
    const { value, get, set, enumerable } = descriptor as { value: unknown } & PropertyDescriptor
    const maybeMade = !enumerable || methods.has(key)
    const method = value ?? get ?? set
    if (maybeMade && typeof method === 'function' && isMadeBy(source, method as Callable)) continue
    members.push({ key, descriptor })
  }
  return members
}

/** The source that made a method: to look for it is slow, and methods stay. */
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
