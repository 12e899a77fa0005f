/**
 * Functions that others can stand for.
 *
 * @module
 */
import type { AnyNode } from 'acorn'
import { functionsWithin, type Unit } from './units.js'
import type { FunctionNode } from './walk-state.js'
import { startOfMark, within } from './within.js'

/**
 * Tells whether two functions with the text of this one do the same, whatever is around them.
 *
 * It is an arrow function that uses only what it declares, not even a global, which could be hidden by a variable elsewhere.
 * Nor has it anything that depends on whether the code around it is strict or a module: a `this`, a property that is assigned or
 * deleted, a function with a name, a comment as HTML has it.
 */
export function isSelfContained(unit: Unit, node: AnyNode): boolean {
  if (node.type !== 'ArrowFunctionExpression') return false
  const { analysis, source } = unit
  const { contextuals, metas, imports, privates, writes } = analysis
  return (
    [contextuals, metas, imports, privates, writes].every(
      (marks) => within(marks, node, startOfMark).length === 0,
    ) &&
    within(analysis.references, node, startOfMark).every(
      ({ binding }) => binding !== undefined && isInside(node, binding.scope),
    ) &&
    functionsWithin(unit, node).every((inner) => inner.node.type === 'ArrowFunctionExpression') &&
    !/<!--|-->/.test(source.slice(node.start, node.end))
  )
}

/** Tells whether a function can see that it is itself, by its own name or by `arguments.callee`, and so keep something. */
export function knowsItself({ analysis }: Unit, { node, strict }: FunctionNode): boolean {
  return (
    within(analysis.references, node, startOfMark).some(
      ({ binding }) => binding?.kind === 'self' && binding.scope.start === node.start,
    ) ||
    (!strict &&
      within(analysis.contextuals, node, startOfMark).some(
        ({ word, ownerStart }) => word === 'arguments' && ownerStart === node.start,
      ))
  )
}

function isInside(outer: AnyNode, { start, end }: { start: number; end: number }): boolean {
  return start >= outer.start && end <= outer.end
}
