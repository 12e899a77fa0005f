/**
 * The part of the walk that deals with functions, classes, and the elements of classes.
 *
 * @module
 */
import type { AnyNode } from 'acorn'
import { declare, newScope } from './scopes.js'
import { declarePattern } from './walk-patterns.js'
import { hasUseStrict, type ClassNode, type FunctionLike, type WalkState } from './walk-state.js'

export function visitFunction(walk: WalkState, fn: FunctionLike, parent: AnyNode): void {
  const { strict, thisOwner, argumentsOwner } = walk
  if (fn.type === 'FunctionDeclaration' && fn.id) {
    declare(walk.scope, fn.id.name, 'function', fn.id.start)
  }
  if (fn.body.type === 'BlockStatement' && hasUseStrict(fn.body.body)) walk.strict = true
  walk.functions.push({ node: fn, parent, strict: walk.strict, owner: walk.owner })
  if (fn.type !== 'ArrowFunctionExpression') {
    walk.thisOwner = fn.start
    walk.argumentsOwner = fn.start
  }
  const calledAtOnce = parent.type === 'CallExpression' && parent.callee === fn
  const once = calledAtOnce && walk.scope.once
  const scope = newScope(fn, walk.scope, { home: true, once })
  walk.inScope(scope, () => {
    if (fn.type === 'FunctionExpression' && fn.id) {
      declare(scope, fn.id.name, 'self', fn.id.start)
    }
    for (const param of fn.params) declarePattern(walk, param, 'param')
    const { body } = fn
    if (body.type !== 'BlockStatement') return walk.visit(body, fn)
    if (fn.params.every(({ type }) => type === 'Identifier')) return walk.children(body)
    const bodyScope = newScope(body, scope, { home: true, once, isBody: true })
    walk.inScope(bodyScope, () => walk.children(body))
  })
  walk.strict = strict
  walk.thisOwner = thisOwner
  walk.argumentsOwner = argumentsOwner
}

export function visitClass(walk: WalkState, node: ClassNode, parent: AnyNode): void {
  const { strict, owner } = walk
  if (node.type === 'ClassDeclaration' && node.id) {
    declare(walk.scope, node.id.name, 'class', node.id.start)
  }
  walk.strict = true
  walk.functions.push({ node, parent, strict: true, owner })
  const scope = newScope(node, walk.scope, { home: false, once: walk.scope.once })
  walk.inScope(scope, () => {
    if (node.id) declare(scope, node.id.name, 'self', node.id.start)
    if (node.superClass) walk.visit(node.superClass, node)
    walk.owner = node
    walk.children(node.body)
  })
  walk.owner = owner
  walk.strict = strict
}

/** Visits a field's initialiser or a static block: a function without being written as one. */
export function visitElement(walk: WalkState, node: AnyNode, element: AnyNode): void {
  const { thisOwner, argumentsOwner } = walk
  walk.thisOwner = element.start
  walk.argumentsOwner = element.start
  walk.inScope(newScope(node, walk.scope, { home: true, once: false }), () => {
    if (node.type === 'StaticBlock') walk.children(node)
    else walk.visit(node, element)
  })
  walk.thisOwner = thisOwner
  walk.argumentsOwner = argumentsOwner
}
