/**
 * The variables of a script: who declares them, who uses them, who assigns them.
 *
 * One walk over the syntax tree records scopes, declarations and uses; names are resolved after
 * it, so that hoisting needs no extra pass. Parameters and body of a function share one scope
 * here, unless parameters have expressions: those do not see what the body declares.
 *
 * @module
 */
import type { AnyNode } from 'acorn'

/** A place where names are declared. */
export interface Scope {
  readonly start: number
  readonly end: number
  readonly parent: Scope | undefined
  readonly bindings: Map<string, Binding>
  /** The scope of the function (or script) around it, possibly itself. */
  readonly home: Scope
  /** As `home`, but one for the parameters and the body of a function. */
  readonly call: Scope
  /** Evaluated at most once: the script's top level, its blocks, its immediately called functions. */
  readonly once: boolean
  /** A loop: evaluated many times within the scope around it. */
  readonly repeats: boolean
}

/** A declared name. */
export interface Binding {
  readonly name: string
  readonly kind:
    | 'var'
    | 'let'
    | 'const'
    | 'function'
    | 'class'
    | 'param'
    | 'import'
    | 'catch'
    | 'self'
  readonly scope: Scope
  readonly start: number
  /** Where its value is imported from, when a declaration says so. */
  source: ImportSource | undefined
  /** Its declaration gives it a value that is not undefined. */
  defined: boolean
  /** The value that its declaration spells out. */
  literal: { readonly value: unknown } | undefined
  /** Assigned after its declaration. */
  assigned: boolean
  /** Assigned by a function, which may run at any time. */
  assignedLater: boolean
}

/** How a declaration names the module that a variable comes from. */
export interface ImportSource {
  readonly specifier: string
  /** `import`, `import:json`, `require`, or `require` through a helper that makes it look like ESM. */
  readonly kind: string
  /** From the module's namespace or exports to the value; empty for all of it. */
  readonly path: readonly string[]
}

/** A use of a name. */
export interface Reference {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly scope: Scope
  readonly assigns: boolean
  /** `{ name }`, in a literal or a pattern, where replacing it needs the key spelled out. */
  readonly shorthand: boolean
  /** `name()`, where replacing it by a member would give the call a receiver. */
  readonly called: boolean
  binding: Binding | undefined
}

/** `this`, `super`, `new.target` or `arguments`, and the function or class element that gives it. */
export interface Contextual {
  readonly word: 'this' | 'super' | 'new.target' | 'arguments'
  readonly start: number
  readonly ownerStart: number
}

/** A range to be replaced or refused: `import.meta`, `import(`, `#name`. */
export interface Mark {
  readonly start: number
  readonly end: number
  readonly name: string
}

export function newScope(
  node: { start: number; end: number },
  parent: Scope | undefined,
  options: { home: boolean; once: boolean; repeats?: boolean; isBody?: boolean },
): Scope {
  const scope: Scope = {
    start: node.start,
    end: node.end,
    parent,
    bindings: new Map(),
    home: undefined as never,
    call: undefined as never,
    once: options.once,
    repeats: options.repeats === true,
  }
  const isHome = options.home || parent === undefined
  const changing = scope as { home: Scope; call: Scope }
  changing.home = isHome ? scope : parent.home
  changing.call = isHome && options.isBody !== true ? scope : parent!.call
  return scope
}

export function declare(scope: Scope, name: string, kind: Binding['kind'], start: number): Binding {
  const known = scope.bindings.get(name)
  if (known !== undefined) {
    // Declared again: `var x` twice, or a function over a parameter. Its value may have changed.
    known.assigned = true
    return known
  }
  const binding: Binding = {
    name,
    kind,
    scope,
    start,
    source: undefined,
    defined: kind === 'class' || kind === 'function',
    literal: undefined,
    assigned: false,
    assignedLater: false,
  }
  scope.bindings.set(name, binding)
  return binding
}

/** Finds every reference's declaration, and marks what is assigned. */
export function resolveReferences(references: readonly Reference[]): void {
  for (const reference of references) {
    // The setter of code that came from another process is no assignment by the program.
    const assigns = reference.assigns && !reference.scope.home.bindings.has('$mp_v')
    for (let scope: Scope | undefined = reference.scope; scope; scope = scope.parent) {
      const binding = scope.bindings.get(reference.name)
      if (binding === undefined) continue
      reference.binding = binding
      if (assigns) {
        binding.assigned = true
        if (reference.scope.call !== binding.scope.call) binding.assignedLater = true
      }
      break
    }
  }
}

const INTEROP = /^(?:__toESM|__importDefault|__importStar|_interopRequire\w+)$/

/** Reads `require('x')`, `await import('x')` and the like; undefined for any other expression. */
export function importSourceOf(node: AnyNode | null | undefined): ImportSource | undefined {
  if (!node) return undefined
  if (node.type === 'AwaitExpression' && node.argument.type === 'ImportExpression') {
    const { source } = node.argument
    if (source.type !== 'Literal' || typeof source.value !== 'string') return undefined
    const { options } = node.argument as { options?: AnyNode | null }
    return options ? undefined : { specifier: source.value, kind: 'import', path: [] }
  }
  if (node.type === 'MemberExpression' && !node.computed && node.property.type === 'Identifier') {
    const inner = importSourceOf(node.object)
    return inner && { ...inner, path: [...inner.path, node.property.name] }
  }
  if (node.type !== 'CallExpression' || node.callee.type === 'Super') return undefined
  const { callee } = node
  const [argument, mode] = node.arguments
  const name =
    callee.type === 'Identifier'
      ? callee.name
      : callee.type === 'MemberExpression' && callee.property.type === 'Identifier'
        ? callee.property.name
        : ''
  if (name === 'require' && callee.type === 'Identifier') {
    if (argument?.type !== 'Literal' || typeof argument.value !== 'string') return undefined
    return { specifier: argument.value, kind: 'require', path: [] }
  }
  if (!INTEROP.test(name) || argument === undefined) return undefined
  const inner = importSourceOf(argument)
  if (inner?.kind !== 'require' || inner.path.length > 0) return undefined
  return { ...inner, kind: mode === undefined ? 'require-esm' : 'require-node' }
}
