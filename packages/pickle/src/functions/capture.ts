/**
 * Finds out what a function is, for the purpose of sending it; the answer is kept per function.
 *
 * @module
 */
import type { AnyNode } from 'acorn'
import { promisify } from 'node:util'
import { CapturedCode } from './captured-code.js'
import { functionIn, isBoundToClass } from './class-layout.js'
import { refuseContext } from './context.js'
import { inspect, readVariable, type CapturedScope, type Inspection } from './inspector.js'
import { InspectorUnavailableError } from './inspector-session.js'
import { intrinsicPath } from './intrinsics.js'
import { requireRecord } from './namespaces.js'
import type { Callable, ExportRecord, FunctionRecord, MadeRecord, MethodRecord } from './records.js'
import {
  builtinReference,
  exportReference,
  referenceAnywhere,
  type ExportReference,
} from './reference.js'
import type { Script } from './scripts.js'
import { isNative } from './source.js'
import { functionAt, functionOfNode, unitOf, type Unit } from './units.js'
import { Unsendable } from './unsendable-error.js'
import type { ClassNode, FunctionNode } from './walk-state.js'

const records: WeakMap<Callable, FunctionRecord> = new WeakMap()

/** @throws Unsendable */
export function recordOf(fn: Callable): FunctionRecord {
  const record = recordToWrite(fn)
  if (record instanceof CapturedCode) record.expire()
  return record
}

/**
 * For one who asks at once for what the function captured, which has just been read when the function is new.
 *
 * @throws Unsendable
 */
export function recordToWrite(fn: Callable): FunctionRecord {
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
    const reference = referenceAnywhere(fn)
    if (reference !== undefined) return exportRecord(reference)
    throw new Unsendable(
      'cannot be looked at, because this process has no inspector; export it from a module of its own',
      error,
    )
  }
}

function exportRecord({ kind: from, specifier, path }: ExportReference): ExportRecord {
  return { kind: 'export', from, specifier, path }
}

function describeInspected(fn: Callable, inspection: Inspection): FunctionRecord {
  const { location } = inspection
  if (location === undefined) throw new Unsendable('has no source')
  const { script } = location
  if (script.url.startsWith('node:')) {
    return (
      promisifiedRecord(inspection, script) ??
      requireRecord(fn) ?? {
        kind: 'global',
        path: builtinReference(fn, script.url),
      }
    )
  }
  const reference = exportReference(fn, inspection, script)
  if (reference !== undefined) return exportRecord(reference)
  const unit = unitOf(script)
  const node = functionAt(unit, location)
  if (node === undefined) throw new Unsendable('has a source that cannot be found')
  const method = methodOf(fn, node, inspection, unit)
  if (method !== undefined) return method
  refuseContext(unit, node)
  return new CapturedCode(fn, unit, node, inspection, recordOf)
}

/** `promisify(fn)`: Node's closure over the function is made again over its copy. */
function promisifiedRecord(inspection: Inspection, script: Script): MadeRecord | undefined {
  if (script.url !== 'node:internal/util') return undefined
  const [closure] = inspection.scopes()
  const original = closure?.description.includes('promisify') ? closure.variables['original'] : null
  return typeof original === 'function'
    ? { kind: 'made', maker: promisify, args: [original] }
    : undefined
}

/** A method goes with its class, when the class can be seen. */
function methodOf(
  fn: Callable,
  { node, parent, owner }: FunctionNode,
  inspection: Inspection,
  unit: Unit,
): MethodRecord | undefined {
  if (owner === undefined) return undefined
  if (parent.type !== 'MethodDefinition' && !isStaticFunctionOf(owner, node, fn, unit.source)) {
    return undefined
  }
  const value = classNamed(owner, inspection.scopes(), unit)
  if (value === undefined) return undefined
  for (const isStatic of [false, true]) {
    const holder = isStatic ? value : (value.prototype as object)
    for (const key of Reflect.ownKeys(holder)) {
      const descriptor = Object.getOwnPropertyDescriptor(holder, key)!
      for (const part of ['value', 'get', 'set'] as const) {
        if (descriptor[part] === fn) {
          return { kind: 'method', owner: value, isStatic, key, part }
        }
      }
    }
  }
  return undefined
}

/** Finds a class by its own name, or by that of the variable that is declared with it. */
function classNamed(
  node: ClassNode,
  scopes: readonly CapturedScope[],
  unit: Unit,
): Callable | undefined {
  const parent = functionOfNode(unit, node)?.parent
  const declarator =
    parent?.type === 'VariableDeclaration' && parent.declarations.find(({ init }) => init === node)
  const names = [
    node.id?.name,
    declarator && declarator.id.type === 'Identifier' && declarator.id.name,
  ]
  for (const name of names) {
    const found = name && readVariable(scopes, name)
    if (typeof found === 'object' && typeof found.value === 'function') {
      return found.value as Callable
    }
  }
  return undefined
}

/** True for an arrow in a static field of a class, which has the class as its `this`. */
function isStaticFunctionOf(
  owner: ClassNode,
  node: AnyNode,
  fn: Callable,
  source: string,
): boolean {
  return owner.body.body.some(
    (element) =>
      element.type === 'PropertyDefinition' &&
      element.static &&
      element.value &&
      functionIn(element.value) === node &&
      isBoundToClass(fn, element.value, source),
  )
}
