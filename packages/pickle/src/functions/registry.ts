/**
 * Code that came from other processes, and functions that are known by an identity.
 *
 * A class, and a function that captures nothing that can change, has an identity that stays with it
 * from process to process. A receiver makes it once and uses it again, so that `instanceof` holds
 * between messages; the thread it is from gets back its original.
 *
 * @module
 */
import type { Code } from './code.js'

type Callable = (...args: never[]) => unknown

/** A variable that functions assign and share: see `free-variables.ts`. */
export class Cell {
  value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

/** Makes the function of a code, given what is eager and supplied. */
export type Factory = (...parameters: unknown[]) => [Callable, (values: unknown[]) => void]

export interface ReceivedCode {
  readonly code: Code
  factory: Factory | undefined
}

/** Codes are forgotten in the order of arrival beyond this many. */
const KEPT_CODES = 1_000

/**
 * What the copies of this module in this thread have in common: a child is started by a file that has
 * it built in, and what it received is known to the copy that is loaded later.
 */
interface Shared {
  readonly codes: Map<string, ReceivedCode>
  readonly identities: WeakMap<Callable, string>
  readonly functions: Map<string, WeakRef<Callable>>
}

const { codes, identities, functions } = ((globalThis as Record<symbol, unknown>)[
  Symbol.for('@mp/pickle/registry/1')
] ??= {
  codes: new Map(),
  identities: new WeakMap(),
  functions: new Map(),
}) as Shared

export function receivedCode(hash: string): ReceivedCode | undefined {
  return codes.get(hash)
}

export function keepCode(code: Code): ReceivedCode {
  const received = { code, factory: undefined }
  codes.set(code.hash, received)
  if (codes.size > KEPT_CODES) codes.delete(codes.keys().next().value as string)
  return received
}

/** Forgets code that cannot be compiled: its message was damaged, and another may bring it whole. */
export function forgetCode({ hash }: Code): void {
  codes.delete(hash)
}

/** What the source of received code begins with: its text alone may be that of another file's code, too. */
export function markOf({ hash }: Code): string {
  return `/*@mp/pickle ${hash}*/`
}

/** The code that this is the source of, if it came from another process. */
export function codeOfSource(source: string): Code | undefined {
  const [, hash] = /^\/\*@mp\/pickle (\S+)\*\//.exec(source) ?? []
  return hash === undefined ? undefined : codes.get(hash)?.code
}

// #region Identities

/** Received functions that nobody else holds stay for this many others. */
const KEPT_FUNCTIONS = 256

let home = ''
let homePid = 0
let nextSerial = 0
const recent: Callable[] = []
const collected: FinalizationRegistry<string> = new FinalizationRegistry((identity) => {
  if (functions.get(identity)?.deref() === undefined) functions.delete(identity)
})

export function identityOf(fn: Callable): string {
  let identity = identities.get(fn)
  if (identity === undefined) {
    // What begins the identities of this thread; a forked process gets another than its parent.
    if (homePid !== process.pid) {
      homePid = process.pid
      home = `${homePid.toString(36)}-${Math.floor(Math.random() * 2 ** 52).toString(36)}-`
    }
    identity = home + (nextSerial++).toString(36)
    remember(fn, identity)
  }
  return identity
}

/** Remembers that a function that was received is the one of this identity. */
export function identify(fn: Callable, identity: string): void {
  remember(fn, identity)
  recent.push(fn)
  if (recent.length > KEPT_FUNCTIONS) recent.shift()
}

function remember(fn: Callable, identity: string): void {
  identities.set(fn, identity)
  functions.set(identity, new WeakRef(fn))
  collected.register(fn, identity)
}

export function functionOf(identity: string): Callable | undefined {
  return functions.get(identity)?.deref()
}

// #endregion
