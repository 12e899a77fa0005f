/**
 * How a class's definition is taken apart for sending.
 *
 * The base class is the object's own prototype, whatever expression gave it. A static field
 * travels as the value it has now, so its initialiser is cut out; with static blocks or private
 * static fields, which can only be evaluated, the static part stays as written, and the values
 * are set after it. A field whose value cannot be sent (a WeakMap, a socket) is initialised anew.
 *
 * @module
 */
import type { AnyNode } from 'acorn'
import type { ClassNode } from './walk-state.js'
import { types } from 'node:util'
import { reduceSymbol } from '../hooks.js'
import { BASE } from './supplied-names.js'
import { whyUnsendable } from './unsendable.js'

type Callable = (...args: never[]) => unknown

interface Range {
  readonly start: number
  readonly end: number
}

export interface ClassLayout {
  /** The class it extends; null for `extends null`; undefined without `extends`. */
  readonly base: Callable | null | undefined
  /** Replacements that the code needs whatever its variables are. */
  readonly cuts: readonly (Range & { readonly text: string })[]
  /** What is cut out, and is not evaluated there. */
  readonly cut: readonly Range[]
  /** What is evaluated together with the class. */
  readonly eager: readonly Range[]
  /** Static fields that the receiver initialises again, since their values cannot be sent. */
  readonly remade: ReadonlySet<string>
  /** Names of static methods and accessors in its body. */
  readonly staticMethods: ReadonlySet<string>
  /** Names of methods and accessors of its instances in its body. */
  readonly methods: ReadonlySet<string>
}

/** A layout while it is made. */
interface Parts {
  readonly node: ClassNode
  readonly cuts: (Range & { text: string })[]
  readonly cut: Range[]
  readonly eager: Range[]
  readonly remade: Set<string>
}

type Element = ClassNode['body']['body'][number]
type StaticBlock = Extract<Element, { type: 'StaticBlock' }>
type Field = Extract<Element, { type: 'PropertyDefinition' }>

/** What most classes do not have is in functions of its own: the engine compiles what it runs, and this is run once a class. */
export function classLayout(fn: Callable, node: ClassNode, source: string): ClassLayout {
  const parts: Parts = { node, cuts: [], cut: [], eager: [], remade: new Set() }
  const staticMethods = new Set<string>()
  const methods = new Set<string>()
  const base = node.superClass ? cutBase(parts, fn, node.superClass) : undefined
  for (const element of node.body.body) {
    if (element.type === 'StaticBlock') {
      placeBlock(parts, element)
      continue
    }
    if (element.computed) parts.eager.push(element.key)
    if (element.type === 'MethodDefinition') {
      const name = nameOf(element)
      if (name !== undefined) (element.static ? staticMethods : methods).add(name)
    } else if (element.static && element.value) {
      placeField(parts, element, element.value, fn, source)
    }
  }
  const { cuts, cut, eager, remade } = parts
  return { base, cuts, cut, eager, remade, staticMethods, methods }
}

/** @returns whether a part of the class is in one of those of its layout. */
export function isAmong(ranges: readonly Range[], { start, end }: Range): boolean {
  for (const range of ranges) if (range.start <= start && end <= range.end) return true
  return false
}

function cutBase({ cuts, cut }: Parts, fn: Callable, { start, end }: Range): Callable | null {
  cuts.push({ start, end, text: BASE })
  cut.push({ start, end })
  const base = Object.getPrototypeOf(fn) as Callable
  return base === Function.prototype ? null : base
}

function placeBlock({ cuts, cut, eager }: Parts, element: StaticBlock): void {
  if (!isNaming(element)) return void eager.push(element)
  cuts.push({ start: element.start, end: element.end, text: '' })
  cut.push(element)
}

function placeField(
  { node, cuts, cut, eager, remade }: Parts,
  element: Field,
  initialiser: AnyNode,
  fn: Callable,
  source: string,
): void {
  const name = nameOf(element)
  const value: unknown = name && Object.getOwnPropertyDescriptor(fn, name)?.value
  if (name !== undefined && isBoundToClass(value, initialiser, source)) {
    // What it uses, it uses when it is called; only what names it is needed at once.
    remade.add(name)
    if (initialiser.type === 'CallExpression') eager.push(initialiser.callee)
  } else if (name !== undefined && !canBeSent(value)) {
    remade.add(name)
    eager.push(initialiser)
  } else if (name === undefined || node.body.body.some(isEvaluated)) {
    eager.push(initialiser)
  } else {
    cuts.push({ start: element.key.end, end: initialiser.end, text: '' })
    cut.push(initialiser)
  }
}

/** True for what makes the static part of a class one that can only be evaluated. */
function isEvaluated(element: Element): boolean {
  if (element.type === 'StaticBlock') return !isNaming(element)
  return (
    element.type === 'PropertyDefinition' &&
    element.static &&
    element.key.type === 'PrivateIdentifier'
  )
}

function nameOf({ key, computed }: { key: AnyNode; computed: boolean }): string | undefined {
  if (computed) return undefined
  if (key.type === 'Identifier') return key.name
  return key.type === 'Literal' ? String(key.value) : undefined
}

/** The function that a static field is given, also one whose name a compiler keeps. */
export function functionIn(initialiser: AnyNode): AnyNode | undefined {
  if (FUNCTIONS.has(initialiser.type)) return initialiser
  if (!isNamingCall(initialiser)) return undefined
  const [argument] = initialiser.arguments
  return argument && FUNCTIONS.has(argument.type) ? argument : undefined
}

const FUNCTIONS = new Set(['ArrowFunctionExpression', 'FunctionExpression'])

/** True for a function in a static field that needs the class around it: an arrow's `this`, private names. */
export function isBoundToClass(value: unknown, initialiser: AnyNode, source: string): boolean {
  const fn = functionIn(initialiser)
  if (typeof value !== 'function' || fn === undefined) return false
  const text = source.slice(fn.start, fn.end)
  const needs = fn.type === 'FunctionExpression' ? /#/ : /\b(?:this|super)\b|#/
  return needs.test(text) && Function.prototype.toString.call(value) === text
}

/** Looks at the value itself only, not at what it contains. */
function canBeSent(value: unknown): boolean {
  if (typeof value === 'symbol') return Symbol.keyFor(value) !== undefined
  if (typeof value !== 'object' || value === null) return true
  if (types.isProxy(value)) return false
  return reduceSymbol in value || whyUnsendable(value) === undefined
}

/** A block that esbuild adds, `static { __name(this, "A") }`: names are kept otherwise. */
function isNaming(element: Extract<AnyNode, { type: 'StaticBlock' }>): boolean {
  return element.body.every(
    (statement) => statement.type === 'ExpressionStatement' && isNamingCall(statement.expression),
  )
}

function isNamingCall(node: AnyNode): node is Extract<AnyNode, { type: 'CallExpression' }> {
  return (
    node.type === 'CallExpression' &&
    node.callee.type === 'Identifier' &&
    node.callee.name === '__name'
  )
}
