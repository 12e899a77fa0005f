/**
 * Where a walk over a syntax tree stands, and what it has found so far.
 *
 * @module
 */
import type { AnyNode, Program } from 'acorn'
import { newScope, type Contextual, type Mark, type Reference, type Scope } from './scopes.js'

export type ClassNode = Extract<AnyNode, { type: 'ClassDeclaration' | 'ClassExpression' }>

export type FunctionLike = Extract<
  AnyNode,
  { type: 'FunctionExpression' | 'FunctionDeclaration' | 'ArrowFunctionExpression' }
>

/** A function or class in the source. */
export interface FunctionNode {
  readonly node: AnyNode
  readonly parent: AnyNode
  readonly strict: boolean
  /** The innermost class around it, when it stands in one. */
  readonly owner: ClassNode | undefined
}

export function isClassNode(node: AnyNode): node is ClassNode {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression'
}

export type Visit = (walk: WalkState, node: AnyNode, parent: AnyNode) => void

export class WalkState {
  readonly functions: FunctionNode[] = []
  readonly references: Reference[] = []
  readonly contextuals: Contextual[] = []
  readonly metas: Mark[] = []
  readonly imports: Mark[] = []
  readonly privates: Mark[] = []
  readonly writes: Mark[] = []
  readonly exports: Map<string, string> = new Map()
  readonly top: Scope

  scope: Scope
  strict: boolean
  owner: ClassNode | undefined
  /** Starts of what gives `this`, and of what gives `arguments` and `new.target`; -1 outside. */
  thisOwner = -1
  argumentsOwner = -1

  /** Visits any node; given by `walk.ts`, so that the files of the walk need not import it. */
  readonly #visit: Visit

  constructor(program: Program, visit: Visit) {
    this.top = newScope(program, undefined, { home: true, once: true })
    this.scope = this.top
    this.strict = program.sourceType === 'module' || hasUseStrict(program.body)
    this.#visit = visit
  }

  visit(node: AnyNode, parent: AnyNode): void {
    this.#visit(this, node, parent)
  }

  children(node: AnyNode): void {
    // Not by `Object.values`, which would make an array of each node.
    for (const key in node) {
      const value: unknown = node[key as keyof AnyNode]
      if (Array.isArray(value)) {
        for (const item of value as unknown[]) if (isNode(item)) this.visit(item, node)
      } else if (isNode(value)) {
        this.visit(value, node)
      }
    }
  }

  inScope(scope: Scope, body: () => void): void {
    const outer = this.scope
    this.scope = scope
    body()
    this.scope = outer
  }

  contextual(word: Contextual['word'], start: number): void {
    const fromFunction = word === 'arguments' || word === 'new.target'
    const ownerStart = fromFunction ? this.argumentsOwner : this.thisOwner
    this.contextuals.push({ word, start, ownerStart })
  }

  written({ start, end }: AnyNode): void {
    this.writes.push({ start, end, name: '' })
  }

  privateName(node: AnyNode): void {
    if (node.type !== 'PrivateIdentifier') return
    this.privates.push({ start: node.start, end: node.end, name: `#${node.name}` })
  }

  reference(
    node: Extract<AnyNode, { type: 'Identifier' }>,
    parent: AnyNode,
    assigns: boolean,
  ): void {
    const { name, start, end } = node
    if (name === 'arguments') {
      this.contextual('arguments', start)
      // That of a function is no variable, although the engine shows one of the function around a CommonJS module.
      if (this.argumentsOwner !== -1) return
    }
    this.references.push({
      name,
      start,
      end,
      scope: this.scope,
      assigns,
      shorthand: parent.type === 'Property' && parent.shorthand,
      called:
        (parent.type === 'CallExpression' && parent.callee === node) ||
        (parent.type === 'TaggedTemplateExpression' && parent.tag === node),
      binding: undefined,
    })
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as AnyNode).type === 'string'
}

export function hasUseStrict(statements: readonly AnyNode[]): boolean {
  for (const statement of statements) {
    if (statement.type !== 'ExpressionStatement' || !statement.directive) return false
    if (statement.directive === 'use strict') return true
  }
  return false
}
