/**
 * The part of the walk that deals with patterns: what is declared, and what is assigned to.
 *
 * @module
 */
import type { AnyNode, Pattern } from 'acorn'
import { declare, type Binding, type ImportSource } from './scopes.js'
import type { WalkState } from './walk-state.js'

/** Declares the names of a pattern. @returns their bindings. */
export function declarePattern(
  walk: WalkState,
  pattern: Pattern,
  kind: Binding['kind'],
  source?: ImportSource,
): Binding[] {
  switch (pattern.type) {
    case 'Identifier': {
      const scope = kind === 'var' ? walk.scope.home : walk.scope
      const binding = declare(scope, pattern.name, kind, pattern.start)
      binding.source = source
      return [binding]
    }
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) => {
        if (property.type === 'RestElement') return declarePattern(walk, property.argument, kind)
        if (property.computed) walk.visit(property.key, property)
        const name =
          property.key.type === 'Identifier' && !property.computed ? property.key.name : undefined
        const inner =
          source && name !== undefined ? { ...source, path: [...source.path, name] } : undefined
        return declarePattern(walk, property.value, kind, inner)
      })
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) =>
        element ? declarePattern(walk, element, kind) : [],
      )
    case 'AssignmentPattern':
      walk.visit(pattern.right, pattern)
      return declarePattern(walk, pattern.left, kind)
    case 'RestElement':
      return declarePattern(walk, pattern.argument, kind)
    case 'MemberExpression':
      walk.visit(pattern, pattern)
      return []
  }
}

/** Visits what an assignment assigns to. */
export function visitTarget(walk: WalkState, node: AnyNode, parent: AnyNode): void {
  switch (node.type) {
    case 'Identifier':
      return walk.reference(node, parent, true)
    case 'ObjectPattern':
      for (const property of node.properties) {
        if (property.type === 'RestElement') {
          visitTarget(walk, property.argument, property)
        } else {
          if (property.computed) walk.visit(property.key, property)
          visitTarget(walk, property.value, property)
        }
      }
      return
    case 'ArrayPattern':
      for (const element of node.elements) if (element) visitTarget(walk, element, node)
      return
    case 'AssignmentPattern':
      // Its parent tells whether the target is a shorthand property.
      visitTarget(walk, node.left, parent)
      return walk.visit(node.right, node)
    case 'RestElement':
      return visitTarget(walk, node.argument, node)
    default:
      walk.written(node)
      return walk.visit(node, parent)
  }
}
