/**
 * What has to be undone when an encoded message never arrives.
 *
 * A handle that counts its holders notes each copy that it sends. Whoever encodes
 * the message keeps the notes with it, and calls them off if it is not delivered.
 *
 * @module
 */

let notes: (() => void)[] | undefined

/** An encoded message, and how to take back what its encoding has promised. */
export interface Tracked<R> {
  readonly result: R
  /** To be called when the message will never be decoded; does nothing the second time. */
  cancel(): void
}

/** Notes what to undo if the message that is being encoded never arrives. */
export function noteInFlight(undo: () => void): void {
  notes?.push(undo)
}

/** Runs `encode` and keeps its notes; undoes them at once if it throws. */
export function trackInFlight<R>(encode: () => R): Tracked<R> {
  const outer = notes
  const mine: (() => void)[] = []
  notes = mine
  const cancel = (): void => {
    for (const undo of mine.splice(0)) undo()
  }
  try {
    return { result: encode(), cancel }
  } catch (error) {
    cancel()
    throw error
  } finally {
    notes = outer
  }
}
