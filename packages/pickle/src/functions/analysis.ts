/**
 * One walk over a script's syntax tree: its variables, and all functions and classes in it.
 *
 * @module
 */
import type { AnyNode, Program } from 'acorn'
import {
  importSourceOf,
  newScope,
  resolveReferences,
  type Contextual,
  type Mark,
  type Reference,
} from './scopes.js'
import { visitClass, visitElement, visitFunction } from './walk-functions.js'
import { visitExport, visitImport } from './walk-modules.js'
import { declarePattern, visitTarget } from './walk-patterns.js'
import { WalkState, type FunctionNode } from './walk-state.js'

/** What a walk found, each list in the order of the script. */
export interface Analysis {
  readonly functions: readonly FunctionNode[]
  readonly references: readonly Reference[]
  readonly contextuals: readonly Contextual[]
  readonly metas: readonly Mark[]
  readonly imports: readonly Mark[]
  readonly privates: readonly Mark[]
  /** Properties that are assigned or deleted: where that is not allowed, only strict code is told. */
  readonly writes: readonly Mark[]
  /** Local names by exported name. */
  readonly exports: ReadonlyMap<string, string>
}

/** Analyses a parsed script or module. */
export function analyse(program: Program): Analysis {
  const walk = new WalkState(program, visit)
  walk.children(program)
  resolveReferences(walk.references)
  const { references, contextuals, metas, imports, privates, writes } = walk
  for (const list of [references, contextuals, metas, imports, privates, writes]) {
    list.sort((a, b) => a.start - b.start)
  }
  walk.functions.sort((a, b) => a.node.start - b.node.start)
  return walk
}

function visit(walk: WalkState, node: AnyNode, parent: AnyNode): void {
  switch (node.type) {
    case 'Identifier':
      return walk.reference(node, parent, false)
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return visitFunction(walk, node, parent)
    case 'ClassDeclaration':
    case 'ClassExpression':
      return visitClass(walk, node, parent)
    case 'PropertyDefinition':
      visitKey(walk, node)
      if (node.value) visitElement(walk, node.value, node)
      return
    case 'StaticBlock':
      return visitElement(walk, node, node)
    case 'MethodDefinition':
      visitKey(walk, node)
      return walk.visit(node.value, node)
    case 'Property':
      visitKey(walk, node)
      return walk.visit(node.value, node)
    case 'MemberExpression':
      walk.visit(node.object, node)
      if (node.computed) walk.visit(node.property, node)
      else walk.privateName(node.property)
      return
    case 'BlockStatement':
    case 'SwitchStatement':
    case 'CatchClause':
    case 'ForStatement':
    case 'ForInStatement':
    case 'ForOfStatement':
    case 'WhileStatement':
    case 'DoWhileStatement':
      return visitBlock(walk, node)
    case 'VariableDeclaration':
      return visitVariables(walk, node, parent)
    case 'AssignmentExpression':
      visitTarget(walk, node.left, node)
      return walk.visit(node.right, node)
    case 'UpdateExpression':
      return visitTarget(walk, node.argument, node)
    case 'UnaryExpression':
      if (node.operator === 'delete') walk.written(node)
      return walk.children(node)
    case 'ImportDeclaration':
      return visitImport(walk, node)
    case 'ExportNamedDeclaration':
    case 'ExportDefaultDeclaration':
      return visitExport(walk, node)
    case 'PrivateIdentifier':
      return walk.privateName(node)
    case 'ThisExpression':
      return walk.contextual('this', node.start)
    case 'Super':
      return walk.contextual('super', node.start)
    case 'MetaProperty':
      if (node.meta.name === 'new') return walk.contextual('new.target', node.start)
      return void walk.metas.push({ start: node.start, end: node.end, name: 'import.meta' })
    case 'ImportExpression':
      walk.imports.push({ start: node.start, end: node.start + 'import'.length, name: 'import' })
      return walk.children(node)
    case 'LabeledStatement':
      return walk.visit(node.body, node)
    case 'ExportAllDeclaration':
    case 'BreakStatement':
    case 'ContinueStatement':
      // The names in them are not variables.
      return
    default:
      return walk.children(node)
  }
}

function visitKey(walk: WalkState, node: AnyNode & { key: AnyNode; computed: boolean }): void {
  if (node.computed) walk.visit(node.key, node)
  else walk.privateName(node.key)
}

const LOOPS = new Set([
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
])

/** Expressions that are never undefined. */
const DEFINED = new Set([
  'ArrayExpression',
  'ArrowFunctionExpression',
  'BinaryExpression',
  'ClassExpression',
  'FunctionExpression',
  'Literal',
  'NewExpression',
  'ObjectExpression',
  'TemplateLiteral',
])

function visitBlock(walk: WalkState, node: AnyNode): void {
  const repeats = LOOPS.has(node.type)
  const once = walk.scope.once && !repeats
  walk.inScope(newScope(node, walk.scope, { home: false, once, repeats }), () => {
    if (node.type === 'ForInStatement' || node.type === 'ForOfStatement') {
      if (node.left.type === 'VariableDeclaration') walk.visit(node.left, node)
      else visitTarget(walk, node.left, node)
      walk.visit(node.right, node)
      walk.visit(node.body, node)
    } else if (node.type === 'CatchClause') {
      if (node.param) declarePattern(walk, node.param, 'catch')
      walk.visit(node.body, node)
    } else {
      walk.children(node)
    }
  })
}

function visitVariables(
  walk: WalkState,
  node: Extract<AnyNode, { type: 'VariableDeclaration' }>,
  parent: AnyNode,
): void {
  // A `var` in the head of a loop is one variable, assigned in every round.
  const repeated = parent.type === 'ForInStatement' || parent.type === 'ForOfStatement'
  const kind = node.kind === 'var' || node.kind === 'let' ? node.kind : 'const'
  for (const { id, init } of node.declarations) {
    const bindings = declarePattern(walk, id, kind, importSourceOf(init))
    if (id.type === 'Identifier' && init && DEFINED.has(init.type)) bindings[0].defined = true
    if (bindings.length === 1) bindings[0].literal = literalOf(id, init)
    if (repeated && kind === 'var') for (const binding of bindings) binding.assigned = true
    if (init) walk.visit(init, node)
  }
}

/** Reads `'text'`, `5` and `Symbol.for('name')`: names of members are often such constants. */
function literalOf(id: AnyNode, init: AnyNode | null | undefined): { value: unknown } | undefined {
  if (id.type !== 'Identifier' || !init) return undefined
  if (init.type === 'Literal')
    return init.value instanceof RegExp ? undefined : { value: init.value }
  if (init.type !== 'CallExpression' || init.callee.type !== 'MemberExpression') return undefined
  const { object, property } = init.callee
  const [name] = init.arguments
  const isSymbolFor =
    object.type === 'Identifier' &&
    object.name === 'Symbol' &&
    property.type === 'Identifier' &&
    property.name === 'for' &&
    name?.type === 'Literal' &&
    typeof name.value === 'string'
  return isSymbolFor ? { value: Symbol.for(name.value as string) } : undefined
}
