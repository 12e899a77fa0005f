/**
 * Tells of variables that are assigned when that is over.
 *
 * A variable that only the code of its own function assigns is as good as constant when the call is
 * over: `let total = 0; total += …; return () => total`. A function that is not async and no
 * generator, and is not on the stack, has no call that is not over; a module that has been
 * evaluated is never evaluated again.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { requiredModule, loadedNamespace } from '../modules/loaded.js'
import type { FreeVariable } from './free-variables.js'
import type { Scope } from './scopes.js'
import { framesOf } from './stack.js'
import { functionsWithin, offsetOf, type Unit } from './units.js'
import { isClassNode } from './walk-state.js'

/** @returns whether no more assignment to a variable can follow. */
export function isSettled(unit: Unit, { constant, settles }: FreeVariable): boolean {
  if (constant) return true
  if (settles === undefined || !unit.script.url.startsWith('file:')) return false
  return settles.parent === undefined ? isEvaluated(unit) : isOver(unit, settles)
}

/** Modules that had not been evaluated when that was asked just now: to take it for so is only slower. */
const unfinished = new Set<string>()

function isEvaluated({ script: { url, isModule } }: Unit): boolean {
  if (isModule) {
    if (unfinished.has(url)) return false
    if (loadedNamespace(url) !== undefined) return true
    unfinished.add(url)
    queueMicrotask(() => unfinished.delete(url))
    return false
  }
  const module = requiredModule(fileURLToPath(url))
  return module?.loaded === true
}

function isOver(unit: Unit, { start, end }: Scope): boolean {
  const home = functionsWithin(unit, { start, end }).find(
    ({ node }) => node.start === start && node.end === end,
  )
  if (home === undefined || isClassNode(home.node)) return false
  const { async, generator } = home.node as { async?: boolean; generator?: boolean }
  if (async === true || generator === true) return false
  return !framesOf(unit.script.url).some(({ line, column }) => {
    const offset = offsetOf(unit, line, column)
    return start <= offset && offset <= end
  })
}
