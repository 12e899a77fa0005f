/**
 * A function or class as code, with what it captured.
 *
 * The code is made once. The values of variables that are never assigned are read once; those of
 * others are read again for every message.
 *
 * @module
 */
import { Module } from 'node:module'
import { reduceSymbol } from '../hooks.js'
import { classLayout, type ClassLayout } from './class-layout.js'
import { cellName, makeCode, type Code } from './code.js'
import { hasExtras } from './extras.js'
import { isSettled } from './finality.js'
import { freeVariables, type FreeVariable } from './free-variables.js'
import { inspect, readVariable, type CapturedScope, type Inspection } from './inspector.js'
import { storeStandIn } from './lowered-privates.js'
import { builtinSource, metaStandIn } from './namespaces.js'
import type { Callable, Capture, CodeRecord, FunctionRecord } from './records.js'
import { codeOfSource, markOf } from './registry.js'
import type { ImportSource } from './scopes.js'
import { isSelfContained, knowsItself } from './self-contained.js'
import { BASE } from './supplied-names.js'
import { originOf, type Unit } from './units.js'
import { Unsendable } from './unsendable-error.js'
import { isClassNode, type FunctionNode } from './walk-state.js'

/** What is the same for all closures of one place in the source. */
interface Plan {
  readonly code: Code
  /** The eager ones first. */
  readonly variables: readonly FreeVariable[]
}

const plans: WeakMap<FunctionNode, Plan> = new WeakMap()

function planFor(
  unit: Unit,
  node: FunctionNode,
  layout: ClassLayout | undefined,
  inspection: Inspection,
): Plan {
  const known = plans.get(node) ?? planOfReceived(unit, node)
  if (known !== undefined) return known
  const { variables, supplied, references } = freeVariables(unit, node, layout, inspection.scopes())
  const eager = variables.filter((variable) => variable.eager)
  const lazy = variables.filter((variable) => !variable.eager)
  const code = makeCode({
    unit,
    fn: node,
    url: originOf(unit).url,
    references,
    cells: new Set(variables.filter(({ kind }) => kind === 'cell').map(({ name }) => name)),
    eager: [...(layout?.base === undefined ? [] : [BASE]), ...eager.map(nameInCode)],
    lazy: lazy.map(nameInCode),
    supplied: [...supplied],
    cuts: layout?.cuts ?? [],
    sources: Object.fromEntries(
      variables.flatMap(({ name, source }) => (source ? [[name, source]] : [])),
    ),
  })
  const plan = { code, variables: [...eager, ...lazy] }
  // What of a class is cut out depends on the values of its statics.
  if (layout === undefined) plans.set(node, plan)
  return plan
}

/** A function that came here by value is sent on as it came. */
function planOfReceived({ source, analysis }: Unit, { node }: FunctionNode): Plan | undefined {
  const code = codeOfSource(source)
  if (code === undefined || node.start !== markOf(code).length + code.prefixLength) return undefined
  const names = [...code.eager.filter((name) => name !== BASE), ...code.lazy]
  const variables = names.map((name): FreeVariable => {
    const origin = code.sources[name] as ImportSource | undefined
    return {
      name,
      kind: origin === undefined ? 'value' : 'import',
      at: -1,
      place: undefined,
      settles: undefined,
      blank: false,
      literal: undefined,
      constant: !analysis.references.some((use) => use.name === name && use.binding?.assigned),
      defined: false,
      eager: code.eager.includes(name),
      source: origin,
    }
  })
  return { code, variables }
}

const MAX_ASKED = 16

export class CapturedCode implements CodeRecord {
  readonly kind = 'code'
  readonly code: Code
  readonly layout: ClassLayout | undefined
  readonly text: string

  /** Weak, because the record belongs to the function. */
  readonly #fn: WeakRef<Callable>
  readonly #unit: Unit
  readonly #node: FunctionNode
  readonly #variables: readonly FreeVariable[]
  #constants: readonly Capture[] | undefined
  /** What has been read just now. */
  #fresh: readonly Capture[] | undefined
  #askedIfSettled = 0
  readonly #recordOf: (fn: Callable) => FunctionRecord

  constructor(
    fn: Callable,
    unit: Unit,
    node: FunctionNode,
    inspection: Inspection,
    recordOf: (fn: Callable) => FunctionRecord,
  ) {
    this.#fn = new WeakRef(fn)
    this.text = Function.prototype.toString.call(fn)
    this.#unit = unit
    this.#node = node
    this.#recordOf = recordOf
    this.layout = isClassNode(node.node) ? classLayout(fn, node.node, unit.source) : undefined
    const plan = planFor(unit, node, this.layout, inspection)
    this.#variables = plan.variables
    this.code = plan.code
    // It takes a while to ask.
    if (plan.variables.length === 0) this.#constants = []
    else this.#fresh = this.#read(inspection.scopes())
  }

  captures(): readonly Capture[] {
    const known = this.#constants ?? this.#fresh
    this.expire()
    if (known !== undefined) return known
    return inspect(this.#fn.deref()!, (inspection) => this.#read(inspection.scopes()))
  }

  /** From now on the program may have assigned something. */
  expire(): void {
    this.#fresh = undefined
  }

  get selfContained(): boolean {
    return isSelfContained(this.#unit, this.#node.node)
  }

  get knowsItself(): boolean {
    return knowsItself(this.#unit, this.#node)
  }

  get stable(): boolean {
    return this.stability() !== undefined
  }

  stability(): ReadonlySet<Callable> | undefined {
    const asked = new Set<Callable>()
    return this.isStable(asked) ? asked : undefined
  }

  /** @param asked functions that have been asked, which may capture each other. */
  isStable(asked: Set<Callable>): boolean {
    const fn = this.#fn.deref()
    // Its variables may be settled later, and somebody may put something on it.
    if (fn === undefined || this.#constants === undefined || hasExtras(fn, this)) return false
    if (asked.has(fn)) return true
    asked.add(fn)
    return this.#constants.every(
      (capture) => capture.kind === 'import' || this.#isFixed(capture.value, asked),
    )
  }

  #isFixed(value: unknown, asked: Set<Callable>): boolean {
    if (typeof value !== 'function') return typeof value !== 'object' || value === null
    try {
      const record = this.#recordOf(value as Callable)
      if (record instanceof CapturedCode) return record.isStable(asked)
      return record.kind === 'global' || record.kind === 'export'
    } catch (error) {
      // The writer will say what is wrong with it, and where it is.
      if (error instanceof Unsendable) return false
      throw error
    }
  }

  #read(scopes: readonly CapturedScope[]): readonly Capture[] {
    const captures = this.#variables.map((variable) => this.#capture(variable, scopes))
    const varying = this.#variables.filter((variable, index) => {
      const capture = captures[index]
      // An undefined constant may be one that is not initialised yet.
      return capture.kind !== 'import' && !(variable.constant && capture.value !== undefined)
    })
    if (varying.every((variable) => !variable.constant && this.#isSettled(variable))) {
      this.#constants = captures
    }
    return captures
  }

  /** Asked a few times only: what is not over by then is probably the program. */
  #isSettled(variable: FreeVariable): boolean {
    if (variable.settles === undefined || this.#askedIfSettled === MAX_ASKED) return false
    this.#askedIfSettled++
    return isSettled(this.#unit, variable)
  }

  #capture(variable: FreeVariable, scopes: readonly CapturedScope[]): Capture {
    const { name, kind, source } = variable
    const seen = kind === 'global' ? globalNamed(name) : readVariable(scopes, name)
    const found = seen === 'not found' ? (variable.literal ?? seen) : seen
    const value = typeof found === 'object' ? standIn(found.value) : undefined
    if (found === 'no value yet' || (value === undefined && variable.defined)) {
      throw new Unsendable(
        `uses "${name}", which has no value yet; send it after the line that defines "${name}"`,
      )
    }
    if (kind === 'cell') return this.#cell(variable, value, scopes)
    // A shared object stays shared: an imported Lock is sent, not imported again.
    if (source === undefined || hasHook(value)) {
      const builtin = builtinSource(value)
      if (builtin !== undefined) return { kind: 'import', source: builtin, parent: '' }
      const travelling =
        storeStandIn(this.text, variable, value, scopes) ?? metaStandIn(value) ?? value
      return { kind: 'value', variable: name, value: travelling }
    }
    return { kind: 'import', source, parent: originOf(this.#unit).url }
  }

  #cell(
    { name, at, place }: FreeVariable,
    value: unknown,
    scopes: readonly CapturedScope[],
  ): Capture {
    const { id } = this.#unit.script
    const cell = { kind: 'cell', variable: name, value, key: `${id}:${at}` } as const
    if (place === undefined || place.once) return { ...cell, scope: undefined }
    const all = scopes.map(({ variables }) => variables)
    const index = all.findIndex((variables) => Object.hasOwn(variables, name))
    const scope = {
      key: `${id}:${place.start}`,
      variables: all[index],
      inner: all.slice(0, index),
      user: this.#node.node.start,
      single: place.single,
    }
    return { ...cell, scope }
  }
}

/** What of a CommonJS `module` makes sense elsewhere. */
function standIn(value: unknown): unknown {
  if (!(value instanceof Module)) return value
  const { exports, filename, id, loaded, path } = value
  return { exports: exports as unknown, filename, id, loaded, path, children: [], paths: [] }
}

function nameInCode({ kind, name }: FreeVariable): string {
  return kind === 'cell' ? cellName(name) : name
}

function hasHook(value: unknown): boolean {
  return typeof value === 'object' && value !== null && reduceSymbol in value
}

function globalNamed(name: string): { value: unknown } {
  return { value: Reflect.get(globalThis, name) }
}
