/**
 * Cells: variables that functions assign, shared in the message by all functions that use them.
 *
 * Of a variable at the top level there is one. Of a variable of a function there is one for each
 * call of it, and the engine does not say which call a closure is from. It is told by everything
 * that can be seen: closures of one call see the same values of all variables of the scope, and a
 * call makes each of its closures once. So `{ next, peek }` of one counter share its count, two
 * counters do not share theirs, not even while both are at 0.
 *
 * @module
 */
import { Cell } from '../functions/registry.js'
import type { CellCapture, EvaluatedScope } from '../functions/records.js'
import * as tag from '../tags.js'
import { writeValue } from './value.js'
import type { Writer } from './writer.js'

type Variables = Readonly<Record<string, unknown>>

/** One evaluation of a scope, and the functions in the message that are of it. */
export interface Evaluation {
  readonly variables: Variables
  readonly users: {
    readonly start: number
    readonly inner: readonly Variables[]
    readonly fn: object
  }[]
}

/** Writes a cell, or the number it has when it is in the message already. */
export function writeCell(w: Writer, cell: Cell): void {
  const number = w.numberOf(cell)
  if (number >= 0) {
    w.out.byte(tag.REF)
    return w.out.varint(number)
  }
  w.register(cell)
  w.out.byte(tag.CELL)
  writeValue(w, cell.value)
}

/** @returns the cell of the message for a variable that a function captured. */
export function cellOf(w: Writer, fn: object, { key, value, scope }: CellCapture): Cell {
  const full = scope === undefined ? key : `${key}#${evaluationOf(w, fn, scope)}`
  let cell = w.cells.get(full)
  if (cell === undefined) {
    cell = new Cell(value)
    w.cells.set(full, cell)
  }
  return cell
}

/** @returns the number, in the message, of the evaluation that a function is of. */
function evaluationOf(w: Writer, fn: object, scope: EvaluatedScope): number {
  let known = w.evaluations.get(scope.key)
  if (known === undefined) w.evaluations.set(scope.key, (known = []))
  let index = known.findIndex((evaluation) => mayBeOf(evaluation, fn, scope))
  if (index === -1) index = known.push({ variables: scope.variables, users: [] }) - 1
  const { users } = known[index]
  if (!users.some((user) => user.fn === fn)) {
    users.push({ start: scope.user, inner: scope.inner, fn })
  }
  return index
}

function mayBeOf({ variables, users }: Evaluation, fn: object, scope: EvaluatedScope): boolean {
  if (users.some((user) => user.fn === fn)) return true
  if (!sameVariables(variables, scope.variables)) return false
  const others = users.filter(({ start }) => start === scope.user)
  if (scope.single) return others.length === 0
  // Made many times, each time with inner variables of its own: the same ones are another call's.
  const { inner } = scope
  return !others.some(
    (other) =>
      inner.length > 0 &&
      inner.length === other.inner.length &&
      inner.every((level, i) => sameVariables(level, other.inner[i])),
  )
}

function sameVariables(a: Variables, b: Variables): boolean {
  if (a === b) return true
  const names = Object.getOwnPropertyNames(a)
  if (names.length !== Object.getOwnPropertyNames(b).length) return false
  return names.every((name) => Object.hasOwn(b, name) && Object.is(read(a, name), read(b, name)))
}

const NO_VALUE = Symbol('no value yet')

function read(variables: Variables, name: string): unknown {
  try {
    return variables[name]
  } catch (error) {
    // As in `readVariable`: the line that defines it has not been reached.
    if (error instanceof ReferenceError) return NO_VALUE
    throw error
  }
}
