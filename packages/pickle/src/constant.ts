/**
 * Whether a function need not be encoded a second time, and whether another is sent as it is.
 *
 * @module
 */
import { BUILT_IN } from './functions/built-in.js'
import { functionSender } from './functions/on-demand.js'
import type { Capture, FunctionRecord } from './functions/records.js'
import { Unsendable } from './functions/unsendable-error.js'

type Callable = (...args: never[]) => unknown

/**
 * For a function that is sent as the same bytes each time: it goes by reference, or captures nothing that can change.
 *
 * @returns what tells whether that is still so, or undefined if it is not: somebody may put something on a function.
 */
export function constancyOf(fn: Callable): (() => boolean) | undefined {
  const record = unlessUnsendable(() => functionSender().recordOf(fn))
  if (record?.kind === 'export' || record?.kind === 'global') return always
  if (record?.kind !== 'code' || !hasUsualKeys(fn)) return undefined
  const functions = record.stability()
  return functions && unlessGrown([...functions])
}

/** Asked for every task: a count takes a tenth of a microsecond, to look at each property three. */
function unlessGrown(functions: readonly Callable[]): () => boolean {
  const holders = functions.flatMap((fn) => {
    const { prototype } = fn as { prototype?: unknown }
    return typeof prototype === 'object' && prototype !== null ? [fn, prototype] : [fn]
  })
  const counts = holders.map(countOf)
  return () => {
    for (let i = 0; i < holders.length; i++) if (countOf(holders[i]) !== counts[i]) return false
    return true
  }
}

function countOf(holder: object): number {
  return Reflect.ownKeys(holder).length
}

function always(): boolean {
  return true
}

/** What a constant function has in common with others that do the same: see {@link isAlike}. */
export interface Likeness {
  /** The same object for all functions that are made by one place in the source. */
  readonly code: object
  /** Its source, if that alone says what it does, wherever it stands; otherwise undefined. */
  readonly text: string | undefined
  readonly captures: readonly Capture[]
}

/**
 * For one who encodes the function at once if it is not like another: what it captured has been read then.
 *
 * @returns undefined for a function that is not constant, or goes by reference, or may be told from others.
 */
export function likenessOf(fn: Callable): Likeness | undefined {
  if (!hasUsualKeys(fn)) return undefined
  const record = unlessUnsendable(() => functionSender().recordToWrite(fn))
  if (record?.kind !== 'code' || record.code.isClass || !record.stable) return undefined
  if (record.knowsItself || functionSender().extrasOf(fn, record).parent !== undefined)
    return undefined
  const text = record.selfContained ? record.text : undefined
  return { code: record.code, text, captures: record.captures() }
}

/** Tells whether two functions do the same: they are made by one place in the source, and captured the same. */
export function isAlike(one: Likeness, other: Likeness): boolean {
  return (
    one.code === other.code &&
    one.captures.every((capture, i) => isSameCapture(capture, other.captures[i]))
  )
}

function isSameCapture(one: Capture, other: Capture): boolean {
  if (one.kind === 'import') return other.kind === 'import'
  return one.kind === 'value' && other.kind === 'value' && Object.is(one.value, other.value)
}

function unlessUnsendable(look: () => FunctionRecord): FunctionRecord | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof Unsendable) return undefined
    throw error
  }
}

/** What is beyond what functions have by themselves may change. */
function hasUsualKeys(fn: Callable): boolean {
  return Reflect.ownKeys(fn).every((key) => BUILT_IN.has(key))
}
