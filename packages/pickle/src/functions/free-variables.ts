/**
 * The variables that a function takes from outside, and where each comes from.
 *
 * @module
 */
import { isAmong, type ClassLayout } from './class-layout.js'
import { globalNames } from './global-names.js'
import type { CapturedScope } from './inspector.js'
import type { Binding, ImportSource, Reference, Scope } from './scopes.js'
import { IMPORT, META } from './supplied-names.js'
import { originOf, type Unit } from './units.js'
import { Unsendable } from './unsendable-error.js'
import type { FunctionNode } from './walk-state.js'
import { startOfMark, within } from './within.js'

/** A name that code uses and does not declare. */
export interface FreeVariable {
  readonly name: string
  readonly kind: 'value' | 'cell' | 'import' | 'global'
  /** Where it is declared, to know it again. */
  readonly at: number
  /** Its declaration gives it a value that is not undefined: it has none if that was not reached. */
  readonly defined: boolean
  /** A `var` that gets its value after its declaration, as compilers write it. */
  readonly blank: boolean
  /** Never assigned after its declaration. */
  readonly constant: boolean
  /** Assigned by the code of this scope's call only. */
  readonly settles: Scope | undefined
  /** Of a cell: the scope that declares it. */
  readonly place: CellPlace | undefined
  /** Needed while the class is being defined. */
  readonly eager: boolean
  readonly source: ImportSource | undefined
  /** Its value, when the declaration spells it out: for where it cannot be seen. */
  readonly literal: { readonly value: unknown } | undefined
}

/** Where an assigned variable is declared, seen from a function that uses it. */
export interface CellPlace {
  /** Where the scope begins in the script. */
  readonly start: number
  /** There is one such variable in the process. */
  readonly once: boolean
  /** The scope makes the function once: neither in a loop nor in a function of its own. */
  readonly single: boolean
}

export interface FreeVariables {
  readonly variables: readonly FreeVariable[]
  /** Things of the module system, which the receiver makes anew: `require`, `import.meta`… */
  readonly supplied: ReadonlySet<string>
  /** All references to variables, for those that must be rewritten. */
  readonly references: readonly Reference[]
}

/** What CommonJS puts around a module. */
const COMMON_JS = new Set(['require', '__filename', '__dirname'])

export function freeVariables(
  unit: Unit,
  { node }: FunctionNode,
  layout: ClassLayout | undefined,
  scopes: readonly CapturedScope[],
): FreeVariables {
  const { sources } = originOf(unit)
  const { start, end } = node
  // Of most classes nothing is cut out, nor evaluated with them: then it need not be looked for.
  const cut = layout?.cut.length ? layout.cut : undefined
  const evaluated = layout?.eager.length ? layout.eager : undefined
  const inside = (mark: { start: number; end: number }): boolean =>
    mark.start >= start && mark.end <= end && !(cut && isAmong(cut, mark))
  const { analysis } = unit
  const references = within(analysis.references, node, startOfMark).filter(
    (reference) => inside(reference) && !(reference.binding && inside(reference.binding.scope)),
  )
  const supplied = new Set<string>()
  if (within(analysis.metas, node, startOfMark).some(inside)) supplied.add(META)
  if (within(analysis.imports, node, startOfMark).some(inside)) supplied.add(IMPORT)
  const byName = new Map<string, Reference[]>()
  for (const reference of references) {
    const known = byName.get(reference.name)
    if (known) known.push(reference)
    else byName.set(reference.name, [reference])
  }
  const variables: FreeVariable[] = []
  for (const [name, uses] of byName) {
    const visible = scopes.some(({ variables: names }) => Object.hasOwn(names, name))
    if (name === META || name === IMPORT || (COMMON_JS.has(name) && isCommonJs(unit, uses))) {
      supplied.add(name)
      continue
    }
    const variable = classify(name, uses, visible, sources, node.start)
    if (variable === undefined) continue
    const eager = evaluated !== undefined && uses.some((use) => isAmong(evaluated, use))
    variables.push({ ...variable, eager })
  }
  return { variables, supplied, references }
}

function isCommonJs({ script }: Unit, uses: readonly Reference[]): boolean {
  return !script.isModule && uses[0].binding === undefined
}

/** What is not known of a variable whose declaration cannot be seen. */
const unknown = {
  at: -1,
  blank: false,
  constant: false,
  defined: false,
  source: undefined,
  place: undefined,
  settles: undefined,
  literal: undefined,
}

function classify(
  name: string,
  uses: readonly Reference[],
  visible: boolean,
  sources: Readonly<Record<string, ImportSource>>,
  start: number,
): Omit<FreeVariable, 'eager'> | undefined {
  const { binding, scope } = uses[0]
  if (binding === undefined) {
    // Of the scopes around evaluated code, or of no scope: a global.
    if (visible) return { ...unknown, name, kind: 'value' }
    if (globalNames().has(name) || !(name in globalThis)) return undefined
    return { ...unknown, name, kind: 'global' }
  }
  const source = binding.assigned ? undefined : (binding.source ?? sources[name])
  const blank = binding.kind === 'var' && binding.assigned && !binding.defined
  // Where compilers keep a computed key while they define the class: it has no value before.
  const isTemporary = blank && uses.some(({ assigns }) => assigns)
  const temporary = isTemporary ? { value: undefined } : undefined
  const common = {
    name,
    at: binding.start,
    blank,
    constant: !binding.assigned,
    // A `var` is undefined before its line as of right; the others cannot be used.
    defined: binding.defined && binding.kind !== 'var',
    source,
    place: undefined,
    settles: binding.assignedLater ? undefined : binding.scope.call,
    literal: binding.assigned ? temporary : binding.literal,
  }
  if (source !== undefined) return { ...common, kind: 'import' }
  if (!visible && common.literal === undefined) {
    throw new Unsendable(
      `uses the variable "${name}" only while it is being defined, where it cannot be seen; use it in a function too`,
    )
  }
  // Assigned by functions: those that use the variable must share it there as here.
  if (!binding.assignedLater) return { ...common, kind: 'value' }
  return { ...common, kind: 'cell', place: placeOf(binding, scope, start) }
}

/**
 * @param use scope of a use within the function.
 * @param start of the function.
 */
function placeOf(binding: Binding, use: Scope, start: number): CellPlace {
  const declared = binding.scope
  let single = true
  for (let scope: Scope | undefined = use; scope && scope !== declared; scope = scope.parent) {
    if (scope.start >= start) continue
    if (scope.repeats || scope.call !== declared.call) single = false
  }
  return { start: declared.start, once: declared.once, single }
}
