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
  isCut(range: Range): boolean
  /** True for what is evaluated together with the class. */
  isEager(range: Range): boolean
  /** Static fields that the receiver initialises again, since their values cannot be sent. */
  readonly remade: ReadonlySet<string>
  /** Names of static methods and accessors in its body. */
  readonly staticMethods: ReadonlySet<string>
  /** Names of methods and accessors of its instances in its body. */
  readonly methods: ReadonlySet<string>
}

export function classLayout(fn: Callable, node: ClassNode, source: string): ClassLayout {
  const { body } = node.body
  const cuts: (Range & { text: string })[] = []
  const cut: Range[] = []
  const eager: Range[] = []
  const remade = new Set<string>()
  let base: Callable | null | undefined
  if (node.superClass) {
    base = Object.getPrototypeOf(fn) as Callable
    if (base === Function.prototype) base = null
    cuts.push({ start: node.superClass.start, end: node.superClass.end, text: BASE })
    cut.push(node.superClass)
  }
  const evaluated = body.some(
    (element) =>
      (element.type === 'StaticBlock' && !isNaming(element)) ||
      (element.type === 'PropertyDefinition' &&
        element.static &&
        element.key.type === 'PrivateIdentifier'),
  )
  for (const element of body) {
    if (element.type === 'StaticBlock') {
      if (isNaming(element)) {
        cuts.push({ start: element.start, end: element.end, text: '' })
        cut.push(element)
      } else {
        eager.push(element)
      }
      continue
    }
    if (element.computed) eager.push(element.key)
    if (element.type === 'PropertyDefinition' && element.static && element.value) {
      const name = nameOf(element)
      const value: unknown = name && Object.getOwnPropertyDescriptor(fn, name)?.value
      if (name !== undefined && isBoundToClass(value, element.value, source)) {
        // What it uses, it uses when it is called; only what names it is needed at once.
        remade.add(name)
        if (element.value.type === 'CallExpression') eager.push(element.value.callee)
      } else if (name !== undefined && !canBeSent(value)) {
        remade.add(name)
        eager.push(element.value)
      } else if (evaluated || name === undefined) {
        eager.push(element.value)
      } else {
        cuts.push({ start: element.key.end, end: element.value.end, text: '' })
        cut.push(element.value)
      }
    }
  }
  const within = (ranges: Range[], { start, end }: Range): boolean =>
    ranges.some((range) => range.start <= start && end <= range.end)
  const methodNames = (isStatic: boolean): Set<string> =>
    new Set(
      body.flatMap((element) =>
        element.type === 'MethodDefinition' && element.static === isStatic
          ? (nameOf(element) ?? [])
          : [],
      ),
    )
  return {
    base,
    cuts,
    isCut: (range) => within(cut, range),
    isEager: (range) => within(eager, range),
    remade,
    staticMethods: methodNames(true),
    methods: methodNames(false),
  }
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
