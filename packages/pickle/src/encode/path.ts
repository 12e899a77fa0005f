/**
 * The way from the value given to `dumps` to the one being written, and how an error tells it.
 *
 * @module
 */
import { PicklingError } from '../errors.js'

/** A step that is not a property: a variable that a function captured, a class's base… */
export interface Step {
  /** As in `captured variable`. */
  readonly kind: string
  readonly name: string
}

/** A property name, an index, or another kind of step. */
export type Segment = string | number | Step

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

/**
 * Makes the error for a value that cannot go.
 *
 * @param reason a verb phrase, as in `is a Socket; create it in the child (initializer)`.
 */
export function picklingError(
  root: string,
  segments: readonly Segment[],
  reason: string,
  cause?: unknown,
): PicklingError {
  const clauses: { kind: string; name: string }[] = [{ kind: '', name: root }]
  for (const segment of segments) {
    const last = clauses[clauses.length - 1]
    if (typeof segment === 'object') clauses.push({ ...segment })
    else last.name += property(segment, last.name === '')
  }
  const first = clauses[0]
  const subject = first.name === '' ? 'the value' : `"${first.name}"`
  const rest = clauses.slice(1).map(({ kind, name }) => (name === '' ? kind : `${kind} "${name}"`))
  const detail = rest.length === 0 ? 'it' : rest.join(' → ')
  const names = clauses.map(({ kind, name }) => (name === '' ? kind : name)).filter(Boolean)
  return new PicklingError(
    `cannot send ${briefly(subject)}: ${briefly(detail)} ${reason}`,
    names.join(' → '),
    cause === undefined ? undefined : { cause },
  )
}

function property(key: string | number, first: boolean): string {
  if (typeof key === 'number') return `[${key}]`
  if (IDENTIFIER.test(key)) return first ? key : `.${key}`
  return first ? key : `[${JSON.stringify(key)}]`
}

/** Leaves out the middle of what nobody would read. */
function briefly(text: string): string {
  return text.length <= 240 ? text : `${text.slice(0, 110)} … ${text.slice(-110)}`
}
