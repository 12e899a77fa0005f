/**
 * What `wait()` asks of the things it waits for; connections and processes have it.
 *
 * @module
 */

/** Tells when something is ready. */
export interface Sentinel {
  ready(): boolean
  /** Calls back once, when it is ready; the function returned calls that off. */
  onReady(callback: () => void): () => void
}

/** The method that gives an object's sentinel. */
export const waitableSymbol: unique symbol = Symbol.for('@mp/waitable') as never

/** The sentinel of a thing, or undefined when it cannot be waited for. */
export function sentinelOf(thing: unknown): Sentinel | undefined {
  if (typeof thing !== 'object' || thing === null || !(waitableSymbol in thing)) return undefined
  return (thing as { [waitableSymbol]: () => Sentinel })[waitableSymbol]()
}
