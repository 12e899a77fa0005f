/**
 * What `wait()` of `@mp/pipe` asks of the things it waits for: connections, processes, queues and events.
 *
 * @module
 */
import type { Session } from './session.js'
import { PENDING, type Waitable } from './waiting.js'

/** Tells when something is ready: when to use it would not block. */
export interface Sentinel {
  ready(): boolean
  /** Calls back once, when it may be ready; the function returned calls that off. */
  onReady(callback: () => void): () => void
  /**
   * What a blocked thread waits for; its attempts take nothing.
   *
   * Left out, or undefined, by what is not in shared memory: a blocked thread then asks whether it is ready now and then.
   */
  waitable?(): Waitable<unknown> | undefined
}

/** The method that gives an object's sentinel. */
export const waitableSymbol: unique symbol = Symbol.for('@mp/waitable') as never

/** The sentinel of a thing, or undefined when it cannot be waited for. */
export function sentinelOf(thing: unknown): Sentinel | undefined {
  if (typeof thing !== 'object' || thing === null || !(waitableSymbol in thing)) return undefined
  return (thing as { [waitableSymbol]: () => Sentinel })[waitableSymbol]()
}

/** The sentinel of something in shared memory; attempts to wait for it take nothing, and do not throw. */
export function sentinelFor({ waiting }: Session, waitable: Waitable<unknown>): Sentinel {
  return {
    ready: () => waitable.attempt() !== PENDING,
    onReady(callback) {
      const stop = new AbortController()
      const calledOff = (): void => {}
      waiting.async(waitable, Infinity, stop.signal).then(callback, calledOff)
      return () => stop.abort()
    },
    waitable: () => waitable,
  }
}
