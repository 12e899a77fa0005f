/**
 * The way from the value given to `dumps` to the one being written, and how an error tells it.
 *
 * @module
 */
import { PicklingError } from '../errors.js'

/** A step that is not a property: a variable that a function captured, a key of a map… */
export interface Step {
  /** As in `captured variable`. */
  readonly kind: string
  /** May be empty. */
  readonly name: string
  /** Properties below it read on from its name: `captured variable "pool.connections[0]"`. */
  readonly isValue?: boolean
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
  const clauses: { kind: string; name: string; isValue?: boolean }[] = [
    { kind: '', name: root, isValue: true },
  ]
  for (const segment of segments) {
    const last = clauses[clauses.length - 1]
    if (typeof segment === 'object') clauses.push({ ...segment })
    else if (last.isValue === true) last.name += property(segment, last.name === '')
    else clauses.push({ kind: '', name: property(segment, true), isValue: true })
  }
  const [first, ...rest] = clauses
  const subject = first.name === '' ? 'the value' : `"${first.name}"`
  const detail = rest.map(({ kind, name }) =>
    [kind, name === '' ? '' : `"${name}"`].filter(Boolean).join(' '),
  )
  const names = clauses.map(({ kind, name }) => (name === '' ? kind : name)).filter(Boolean)
  return new PicklingError(
    `cannot send ${briefly(subject)}: ${briefly(detail.join(' → ')) || 'it'} ${reason}`,
    briefly(names.join(' → ')),
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
