/**
 * Refuses functions that need the place where they stand: its `this`, its class's private names.
 *
 * @module
 */
import type { AnyNode } from 'acorn'
import { isClassNode, type FunctionNode } from './walk-state.js'
import { functionsWithin, type Unit } from './units.js'
import { startOfMark, within } from './within.js'
import { Unsendable } from './unsendable-error.js'

/** @throws Unsendable */
export function refuseContext(unit: Unit, { node, owner }: FunctionNode): void {
  const { start, end } = node
  const inside = (position: number): boolean => position >= start && position < end
  for (const { word, ownerStart } of within(unit.analysis.contextuals, node, startOfMark)) {
    // A method that is sent without its object or class has lost what `super` means in it.
    const lost = word === 'super' && ownerStart === start
    if (inside(ownerStart) && !lost) continue
    // At the top level of a module, `this` is undefined there as here.
    if (word === 'this' && ownerStart === -1 && unit.script.isModule) continue
    throw new Unsendable(whyNot(word))
  }
  if (owner === undefined || (owner as AnyNode) === node) return
  for (const { name, start: at } of within(unit.analysis.privates, node, startOfMark)) {
    if (isInClassWithin(unit, node, at)) continue
    throw new Unsendable(`uses the private name ${name} of the class around it; send the class`)
  }
}

function whyNot(word: string): string {
  switch (word) {
    case 'super':
      return 'uses `super`, which only a whole class takes along; send its class or an instance'
    case 'this':
      return 'uses the `this` of the code around it; use a variable instead, or make it a `function`'
    default:
      return `uses the \`${word}\` of the code around it; put it in a variable`
  }
}

function isInClassWithin(unit: Unit, outer: AnyNode, position: number): boolean {
  return functionsWithin(unit, outer).some(
    ({ node }) => isClassNode(node) && node.start <= position && position < node.end,
  )
}
