/**
 * What the code in a bundle sees of the explorer, by the global name `host`.
 *
 * @module
 */
import type { Coroner, Platform, Session } from '@mp/shared-memory/internal'

export interface Host {
  /** Stands for the control region; only the bundle's own `Atomics` can read it. */
  readonly words: Int32Array
  /** The data pages: words and bytes that plain code reads and stores, each a step that others can see. */
  readonly data: {
    readonly origin: number
    load(at: number): number
    store(at: number, value: number): void
  }
  readonly platform: Platform & Coroner & { listen(seen: number, callback: () => void): void }
  /** The session of the agent that runs now. */
  session: Session | undefined
}

/** What a scenario promises is not so. */
export class Violation extends Error {
  override name = 'Violation'
}
