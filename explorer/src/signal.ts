/**
 * An abort signal without an event loop behind it.
 *
 * @module
 */
/** Stands in for `AbortSignal`: it calls its listeners in the agent's own time. */
export class FakeSignal {
  aborted = false
  reason: unknown
  readonly #listeners = new Set<() => void>()

  addEventListener(_type: string, listener: () => void): void {
    this.#listeners.add(listener)
  }

  removeEventListener(_type: string, listener: () => void): void {
    this.#listeners.delete(listener)
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason
  }

  abort(): void {
    this.aborted = true
    this.reason = new Error('aborted')
    for (const listener of this.#listeners) listener()
  }
}

/** Makes a signal and what aborts it. */
export function makeSignal(): { signal: AbortSignal; abort(): void } {
  const signal = new FakeSignal()
  return { signal: signal as unknown as AbortSignal, abort: () => signal.abort() }
}
