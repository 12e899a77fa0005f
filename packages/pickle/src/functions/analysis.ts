/**
 * One walk over a script's syntax tree: what `scopes.ts` describes, and all functions and classes.
 *
 * @module
 */
import type { AnyNode, ImportDeclaration, Pattern, Program } from 'acorn'
import {
  declare,
  importSourceOf,
  newScope,
  resolveReferences,
  type Binding,
  type Contextual,
  type ImportSource,
  type Mark,
  type Reference,
  type Scope,
} from './scopes.js'

type FunctionLike = Extract<
  AnyNode,
  { type: 'FunctionExpression' | 'FunctionDeclaration' | 'ArrowFunctionExpression' }
>

export type ClassNode = Extract<AnyNode, { type: 'ClassDeclaration' | 'ClassExpression' }>

/** A function or class in the source. */
export interface FunctionNode {
  readonly node: AnyNode
  readonly parent: AnyNode
  readonly strict: boolean
  /** The innermost class around it, when it stands in one. */
  readonly owner: ClassNode | undefined
}

/** What a walk found. */
export interface Analysis {
  readonly functions: FunctionNode[]
  readonly references: Reference[]
  readonly contextuals: Contextual[]
  readonly metas: Mark[]
  readonly imports: Mark[]
  readonly privates: Mark[]
  /** Local names by exported name; `*default*` for an unnamed default export. */
  readonly exports: Map<string, string>
  readonly top: Scope
}

/** Analyses a parsed script or module. */
export function analyse(program: Program): Analysis {
  const walk = new Walk(program)
  walk.children(program)
  resolveReferences(walk.references)
  return walk
}

const LOOPS = new Set([
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
])

class Walk implements Analysis {
  readonly functions: FunctionNode[] = []
  readonly references: Reference[] = []
  readonly contextuals: Contextual[] = []
  readonly metas: Mark[] = []
  readonly imports: Mark[] = []
  readonly privates: Mark[] = []
  readonly exports: Map<string, string> = new Map()
  readonly top: Scope

  #scope: Scope
  #strict: boolean
  #class: ClassNode | undefined
  /** Start of what gives `this`, and of what gives `arguments` and `new.target`. */
  #thisOwner = -1
  #argumentsOwner = -1

  constructor(program: Program) {
    this.top = newScope(program, undefined, { home: true, once: true })
    this.#scope = this.top
    this.#strict = program.sourceType === 'module' || hasUseStrict(program.body)
  }

  children(node: AnyNode): void {
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) {
        for (const item of value as unknown[]) if (isNode(item)) this.visit(item, node)
      } else if (isNode(value)) {
        this.visit(value, node)
      }
    }
  }

  visit(node: AnyNode, parent: AnyNode): void {
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return this.#function(node, parent)
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.#classNode(node, parent)
      case 'PropertyDefinition':
        if (node.computed) this.visit(node.key, node)
        else this.#privateName(node.key)
        if (node.value) this.#element(node.value, node)
        return
      case 'StaticBlock':
        return this.#element(node, node)
      case 'MethodDefinition':
        if (node.computed) this.visit(node.key, node)
        else this.#privateName(node.key)
        return this.visit(node.value, node)
      case 'BlockStatement':
      case 'SwitchStatement':
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
        return this.#block(node)
      case 'CatchClause':
        return this.#inScope(newScope(node, this.#scope, { home: false, once: false }), () => {
          if (node.param) this.#pattern(node.param, 'catch', undefined)
          this.children({ ...node, param: null })
        })
      case 'VariableDeclaration':
        return this.#variables(node, parent)
      case 'ImportDeclaration':
        return this.#import(node)
      case 'ExportNamedDeclaration':
      case 'ExportDefaultDeclaration':
        return this.#export(node)
      case 'ExportAllDeclaration':
        return
      case 'Identifier':
        return this.#reference(node, parent, false)
      case 'AssignmentExpression':
        this.#target(node.left, node)
        return this.visit(node.right, node)
      case 'UpdateExpression':
        return this.#target(node.argument, node)
      case 'MemberExpression':
        this.visit(node.object, node)
        if (node.computed) this.visit(node.property, node)
        else this.#privateName(node.property)
        return
      case 'Property':
        if (node.computed) this.visit(node.key, node)
        return this.visit(node.value, node)
      case 'PrivateIdentifier':
        return this.#privateName(node)
      case 'ThisExpression':
        return this.#contextual('this', node.start, this.#thisOwner)
      case 'Super':
        return this.#contextual('super', node.start, this.#thisOwner)
      case 'MetaProperty':
        if (node.meta.name === 'new') {
          this.#contextual('new.target', node.start, this.#argumentsOwner)
        } else {
          this.metas.push({ start: node.start, end: node.end, name: 'import.meta' })
        }
        return
      case 'ImportExpression':
        this.imports.push({ start: node.start, end: node.start + 6, name: 'import' })
        return this.children(node)
      case 'LabeledStatement':
        return this.visit(node.body, node)
      case 'BreakStatement':
      case 'ContinueStatement':
        return
      default:
        return this.children(node)
    }
  }

  #contextual(word: Contextual['word'], start: number, ownerStart: number): void {
    this.contextuals.push({ word, start, ownerStart })
  }

  #privateName(node: AnyNode): void {
    if (node.type !== 'PrivateIdentifier') return
    this.privates.push({ start: node.start, end: node.end, name: `#${node.name}` })
  }

  #inScope(scope: Scope, body: () => void): void {
    const outer = this.#scope
    this.#scope = scope
    body()
    this.#scope = outer
  }

  #block(node: AnyNode): void {
    const once = this.#scope.once && !LOOPS.has(node.type)
    const scope = newScope(node, this.#scope, { home: false, once })
    this.#inScope(scope, () => {
      if (node.type === 'ForInStatement' || node.type === 'ForOfStatement') {
        if (node.left.type === 'VariableDeclaration') this.visit(node.left, node)
        else this.#target(node.left, node)
        this.visit(node.right, node)
        this.visit(node.body, node)
      } else {
        this.children(node)
      }
    })
  }

  #function(fn: FunctionLike, parent: AnyNode): void {
    const arrow = fn.type === 'ArrowFunctionExpression'
    if (fn.type === 'FunctionDeclaration' && fn.id) {
      declare(this.#scope, fn.id.name, 'function', fn.id.start)
    }
    const statements = fn.body.type === 'BlockStatement' ? fn.body.body : []
    const outer = {
      strict: this.#strict,
      thisOwner: this.#thisOwner,
      argumentsOwner: this.#argumentsOwner,
    }
    if (hasUseStrict(statements)) this.#strict = true
    this.functions.push({ node: fn, parent, strict: this.#strict, owner: this.#class })
    if (!arrow) this.#thisOwner = this.#argumentsOwner = fn.start
    const called = parent.type === 'CallExpression' && parent.callee === fn
    const scope = newScope(fn, this.#scope, { home: true, once: called && this.#scope.once })
    this.#inScope(scope, () => {
      if (fn.type === 'FunctionExpression' && fn.id) {
        declare(scope, fn.id.name, 'self', fn.id.start)
      }
      for (const param of fn.params) this.#pattern(param, 'param', undefined)
      if (fn.body.type === 'BlockStatement') this.children(fn.body)
      else this.visit(fn.body, fn)
    })
    this.#strict = outer.strict
    this.#thisOwner = outer.thisOwner
    this.#argumentsOwner = outer.argumentsOwner
  }

  #classNode(node: ClassNode, parent: AnyNode): void {
    if (node.type === 'ClassDeclaration' && node.id) {
      declare(this.#scope, node.id.name, 'class', node.id.start)
    }
    const outer = { strict: this.#strict, class: this.#class }
    this.#strict = true
    this.functions.push({ node, parent, strict: true, owner: outer.class })
    const scope = newScope(node, this.#scope, { home: false, once: this.#scope.once })
    this.#inScope(scope, () => {
      if (node.id) declare(scope, node.id.name, 'self', node.id.start)
      if (node.superClass) this.visit(node.superClass, node)
      this.#class = node
      this.children(node.body)
    })
    this.#class = outer.class
    this.#strict = outer.strict
  }

  /** A field's initialiser or a static block: a function of its own, without being written as one. */
  #element(node: AnyNode, element: AnyNode): void {
    const thisOwner = this.#thisOwner
    const argumentsOwner = this.#argumentsOwner
    this.#thisOwner = this.#argumentsOwner = element.start
    this.#inScope(newScope(node, this.#scope, { home: true, once: false }), () => {
      if (node.type === 'StaticBlock') this.children(node)
      else this.visit(node, element)
    })
    this.#thisOwner = thisOwner
    this.#argumentsOwner = argumentsOwner
  }

  #variables(node: Extract<AnyNode, { type: 'VariableDeclaration' }>, parent: AnyNode): void {
    const repeated = parent.type === 'ForInStatement' || parent.type === 'ForOfStatement'
    const kind = node.kind === 'var' || node.kind === 'let' ? node.kind : 'const'
    for (const { id, init } of node.declarations) {
      const found = this.#pattern(id, kind, importSourceOf(init))
      if (repeated && kind === 'var') for (const binding of found) binding.assigned = true
      if (init) this.visit(init, node)
    }
  }

  /** Declares the names of a pattern. */
  #pattern(pattern: Pattern, kind: Binding['kind'], source: ImportSource | undefined): Binding[] {
    switch (pattern.type) {
      case 'Identifier': {
        const scope = kind === 'var' ? this.#scope.home : this.#scope
        const binding = declare(scope, pattern.name, kind, pattern.start)
        binding.source = source
        return [binding]
      }
      case 'ObjectPattern':
        return pattern.properties.flatMap((property) => {
          if (property.type === 'RestElement')
            return this.#pattern(property.argument, kind, undefined)
          if (property.computed) this.visit(property.key, property)
          const name =
            property.key.type === 'Identifier' && !property.computed ? property.key.name : undefined
          const inner =
            source && name !== undefined ? { ...source, path: [...source.path, name] } : undefined
          return this.#pattern(property.value, kind, inner)
        })
      case 'ArrayPattern':
        return pattern.elements.flatMap((element) =>
          element ? this.#pattern(element, kind, undefined) : [],
        )
      case 'AssignmentPattern':
        this.visit(pattern.right, pattern)
        return this.#pattern(pattern.left, kind, undefined)
      case 'RestElement':
        return this.#pattern(pattern.argument, kind, undefined)
      case 'MemberExpression':
        this.visit(pattern, pattern)
        return []
    }
  }

  /** Visits what an assignment assigns to. */
  #target(node: AnyNode, parent: AnyNode): void {
    switch (node.type) {
      case 'Identifier':
        return this.#reference(node, parent, true)
      case 'ObjectPattern':
        for (const property of node.properties) {
          if (property.type === 'RestElement') {
            this.#target(property.argument, property)
          } else {
            if (property.computed) this.visit(property.key, property)
            this.#target(property.value, property)
          }
        }
        return
      case 'ArrayPattern':
        for (const element of node.elements) if (element) this.#target(element, node)
        return
      case 'AssignmentPattern':
        this.#target(node.left, parent)
        return this.visit(node.right, node)
      case 'RestElement':
        return this.#target(node.argument, node)
      default:
        return this.visit(node, parent)
    }
  }

  #reference(
    node: Extract<AnyNode, { type: 'Identifier' }>,
    parent: AnyNode,
    assigns: boolean,
  ): void {
    const { name, start, end } = node
    if (name === 'arguments') this.#contextual('arguments', start, this.#argumentsOwner)
    this.references.push({
      name,
      start,
      end,
      scope: this.#scope,
      assigns,
      shorthand: parent.type === 'Property' && parent.shorthand,
      called:
        (parent.type === 'CallExpression' && parent.callee === node) ||
        (parent.type === 'TaggedTemplateExpression' && parent.tag === node),
      binding: undefined,
    })
  }

  #import(node: ImportDeclaration): void {
    const type = node.attributes?.find(({ key }) => nameOf(key) === 'type')?.value.value
    const kind = type === undefined ? 'import' : `import:${String(type)}`
    const specifier = String(node.source.value)
    for (const item of node.specifiers) {
      const path =
        item.type === 'ImportSpecifier'
          ? [nameOf(item.imported)]
          : item.type === 'ImportDefaultSpecifier'
            ? ['default']
            : []
      const binding = declare(this.top, item.local.name, 'import', item.local.start)
      binding.source = { specifier, kind, path }
    }
  }

  #export(
    node: Extract<AnyNode, { type: 'ExportNamedDeclaration' | 'ExportDefaultDeclaration' }>,
  ): void {
    if (node.type === 'ExportDefaultDeclaration') {
      const { declaration } = node
      const named =
        'id' in declaration && declaration.id && declaration.type.endsWith('Declaration')
      this.exports.set('default', named ? (declaration.id as { name: string }).name : '*default*')
      return this.visit(declaration, node)
    }
    if (node.source) return
    for (const { exported, local } of node.specifiers) {
      this.exports.set(nameOf(exported), nameOf(local))
      if (local.type === 'Identifier') this.#reference(local, node, false)
    }
    if (!node.declaration) return
    const before = new Set(this.top.bindings.keys())
    this.visit(node.declaration, node)
    for (const name of this.top.bindings.keys()) if (!before.has(name)) this.exports.set(name, name)
  }
}

function nameOf(node: AnyNode): string {
  return node.type === 'Identifier' ? node.name : String((node as { value?: unknown }).value)
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as AnyNode).type === 'string'
}

function hasUseStrict(statements: readonly AnyNode[]): boolean {
  for (const statement of statements) {
    if (statement.type !== 'ExpressionStatement' || !statement.directive) return false
    if (statement.directive === 'use strict') return true
  }
  return false
}
