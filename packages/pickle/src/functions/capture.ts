/**
 * What a function is, for the purpose of sending it: a name, an export, a method, or code.
 *
 * The answer is kept per function. For code, the values of variables that are never assigned are
 * kept too; the others are read again for every message.
 *
 * @module
 */
import type { AnyNode } from 'acorn'
import { reduceSymbol } from '../hooks.js'
import type { ClassNode, FunctionNode } from './analysis.js'
import { classLayout, type ClassLayout } from './class-layout.js'
import { BASE, BODY_MARK, cellName, makeCode, type Code } from './code.js'
import { freeVariables, type FreeVariable } from './free-variables.js'
import {
  inspect,
  InspectorUnavailableError,
  type CapturedScope,
  type Inspection,
} from './inspector.js'
import { intrinsicPath } from './intrinsics.js'
import { builtinReference, exportReference, type ExportReference } from './reference.js'
import { codeOfBody } from './registry.js'
import type { ImportSource } from './scopes.js'
import { isNative } from './source.js'
import { functionAt, unitOf, type Unit } from './units.js'
import { Unsendable } from './unsendable-error.js'

type Callable = (...args: never[]) => unknown

/** A value that code needs: as is, or through an import or a shared cell. */
export type Capture =
  | { readonly kind: 'value'; readonly variable: string; readonly value: unknown }
  | {
      readonly kind: 'cell'
      readonly variable: string
      readonly value: unknown
      readonly key: string
    }
  | { readonly kind: 'import'; readonly source: ImportSource; readonly parent: string }

/** A function or class that travels as its source. */
export interface CodeRecord {
  readonly kind: 'code'
  readonly code: Code
  /** Values in the order of `code.eager`, then of `code.lazy`. */
  captures(): readonly Capture[]
  /** No capture can change: the receiver may keep the function. */
  readonly stable: boolean
  readonly layout: ClassLayout | undefined
}

export type FunctionRecord =
  | { readonly kind: 'global'; readonly path: readonly string[] }
  | ({ readonly kind: 'export'; readonly from: ExportReference['kind'] } & Omit<
      ExportReference,
      'kind'
    >)
  | {
      readonly kind: 'method'
      readonly owner: Callable
      readonly isStatic: boolean
      readonly key: string | symbol
      readonly part: 'value' | 'get' | 'set'
    }
  | CodeRecord

const records: WeakMap<Callable, FunctionRecord> = new WeakMap()

/** @throws Unsendable */
export function recordOf(fn: Callable): FunctionRecord {
  let record = records.get(fn)
  if (record === undefined) {
    record = describe(fn)
    records.set(fn, record)
  }
  return record
}

function describe(fn: Callable): FunctionRecord {
  if (isNative(fn)) return { kind: 'global', path: builtinReference(fn, '') }
  try {
    return inspect(fn, (inspection) => describeInspected(fn, inspection))
  } catch (error) {
    if (!(error instanceof InspectorUnavailableError)) throw error
    const path = intrinsicPath(fn)
    if (path !== undefined) return { kind: 'global', path }
    throw new Unsendable(
      'cannot be looked at, because this process has no inspector; export it from a module of its own',
      error,
    )
  }
}

function describeInspected(fn: Callable, inspection: Inspection): FunctionRecord {
  const { location } = inspection
  if (location === undefined) throw new Unsendable('has no source')
  const { script } = location
  if (script.url.startsWith('node:')) {
    return { kind: 'global', path: builtinReference(fn, script.url) }
  }
  const reference = exportReference(fn, inspection, script)
  if (reference !== undefined) {
    const { kind: from, specifier, path } = reference
    return { kind: 'export', from, specifier, path }
  }
  const unit = unitOf(script)
  const node = functionAt(unit, location)
  if (node === undefined) throw new Unsendable('has a source that cannot be found')
  const scopes = inspection.scopes()
  const method = methodOf(fn, node, scopes)
  if (method !== undefined) return method
  refuseContext(unit, node)
  return new CapturedCode(fn, unit, node, scopes)
}

/** A method goes with its class, when the class can be seen. */
function methodOf(
  fn: Callable,
  { parent, owner }: FunctionNode,
  scopes: readonly CapturedScope[],
): FunctionRecord | undefined {
  if (parent.type !== 'MethodDefinition' || !owner?.id) return undefined
  const name = owner.id.name
  const value = scopes.find(({ variables }) => Object.hasOwn(variables, name))?.variables[name]
  if (typeof value !== 'function') return undefined
  for (const isStatic of [false, true]) {
    const holder = isStatic ? value : (value.prototype as object)
    for (const key of Reflect.ownKeys(holder)) {
      const descriptor = Object.getOwnPropertyDescriptor(holder, key)!
      for (const part of ['value', 'get', 'set'] as const) {
        if (descriptor[part] === fn) {
          return { kind: 'method', owner: value as Callable, isStatic, key, part }
        }
      }
    }
  }
  return undefined
}

/** Refuses what belongs to the place where the function stands. */
function refuseContext(unit: Unit, { node, owner }: FunctionNode): void {
  const { start, end } = node
  const inside = (position: number): boolean => position >= start && position < end
  const ownSuper = node.type === 'FunctionExpression'
  for (const { word, start: at, ownerStart } of unit.analysis.contextuals) {
    if (!inside(at)) continue
    const outer = !inside(ownerStart) || (word === 'super' && ownSuper && ownerStart === start)
    if (!outer) continue
    // At the top level of a module, `this` is undefined there as here.
    if (word === 'this' && ownerStart === -1 && unit.script.isModule) continue
    throw new Unsendable(
      word === 'super'
        ? 'uses `super`, and only whole classes take their base class along; send its class, or an object of it'
        : `uses the \`${word}\` of the code around it; put that in a variable, or use a \`function\``,
    )
  }
  if (owner === undefined || (owner as AnyNode) === node) return
  for (const { name, start: at } of unit.analysis.privates) {
    if (!inside(at) || declaresInside(unit, node, at)) continue
    throw new Unsendable(`uses the private name ${name} of the class around it; send its class`)
  }
}

function declaresInside(unit: Unit, node: AnyNode, position: number): boolean {
  return unit.analysis.functions.some(
    ({ node: inner }) =>
      (inner.type === 'ClassExpression' || inner.type === 'ClassDeclaration') &&
      inner.start >= node.start &&
      inner.end <= node.end &&
      inner.start <= position &&
      position < inner.end,
  )
}

class CapturedCode implements CodeRecord {
  readonly kind = 'code'
  readonly code: Code
  readonly stable: boolean
  readonly layout: ClassLayout | undefined

  readonly #fn: WeakRef<Callable>
  readonly #unit: Unit
  readonly #variables: readonly FreeVariable[]
  #captures: readonly Capture[] | undefined

  constructor(fn: Callable, unit: Unit, node: FunctionNode, scopes: readonly CapturedScope[]) {
    this.#fn = new WeakRef(fn)
    this.#unit = unit
    const origin = originOf(unit)
    this.layout = isClassNode(node.node) ? classLayout(fn, node.node) : undefined
    const free = freeVariables(unit, node, this.layout, scopes, origin.sources)
    const { variables, references } = free
    const supplied = [...free.supplied]
    const base = this.layout?.base !== undefined ? [BASE] : []
    const named = (variable: FreeVariable): string =>
      variable.kind === 'cell' ? cellName(variable.name) : variable.name
    const eager = variables.filter((variable) => variable.eager)
    const lazy = variables.filter((variable) => !variable.eager)
    this.#variables = [...eager, ...lazy]
    this.code = makeCode({
      unit,
      fn: node,
      url: origin.url,
      references,
      cells: new Set(variables.filter(({ kind }) => kind === 'cell').map(({ name }) => name)),
      eager: [...base, ...eager.map(named)],
      lazy: lazy.map(named),
      supplied,
      cuts: this.layout?.cuts ?? [],
      sources: Object.fromEntries(
        variables.flatMap(({ name, source }) => (source ? [[name, source]] : [])),
      ),
    })
    const captures = this.#read(scopes)
    const constant = this.#variables.every(
      ({ kind, constant: fixed }, index) =>
        kind === 'import' ||
        (fixed && (captures[index] as { value: unknown } | undefined)?.value !== undefined),
    )
    if (constant) this.#captures = captures
    this.stable =
      constant && captures.every((capture) => capture.kind === 'import' || isFixed(capture.value))
  }

  captures(): readonly Capture[] {
    return (
      this.#captures ?? this.#read(inspect(this.#fn.deref()!, (inspection) => inspection.scopes()))
    )
  }

  #read(scopes: readonly CapturedScope[]): Capture[] {
    return this.#variables.map((variable): Capture => {
      const { name, kind, source } = variable
      if (kind === 'import' && source) {
        const value = valueOf(name, scopes)
        const parent = originOf(this.#unit).url
        if (!hasHook(value)) return { kind: 'import', source, parent }
        return { kind: 'value', variable: name, value }
      }
      const value = kind === 'global' ? Reflect.get(globalThis, name) : valueOf(name, scopes)
      if (kind !== 'cell') return { kind: 'value', variable: name, value }
      return { kind: 'cell', variable: name, value, key: `${this.#unit.script.id}:${variable.at}` }
    })
  }
}

function isClassNode(node: AnyNode): node is ClassNode {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression'
}

/** Shared objects stay shared: an imported Lock is sent, not imported again. */
function hasHook(value: unknown): boolean {
  return typeof value === 'object' && value !== null && reduceSymbol in value
}

function isFixed(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function')
}

function valueOf(name: string, scopes: readonly CapturedScope[]): unknown {
  for (const { variables } of scopes) if (Object.hasOwn(variables, name)) return variables[name]
  return undefined
}

/** The file that a unit's code is from: it may itself have come here by value. */
function originOf(unit: Unit): { url: string; sources: Readonly<Record<string, ImportSource>> } {
  if (unit.source.startsWith(BODY_MARK)) {
    const code = codeOfBody(unit.source)
    if (code !== undefined) return { url: code.url, sources: code.sources }
  }
  return { url: unit.script.url, sources: {} }
}
