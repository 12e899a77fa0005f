/**
 * What the workers of the storm do: their work, with a tally of who has begun and ended what.
 *
 * @module
 */
import type { SharedArray } from '@mp/shared-memory'

let tally: { begun: Int32Array; ended: Int32Array } | undefined

/** Sets a worker up. */
export function keepTally(begun: SharedArray<Int32Array>, ended: SharedArray<Int32Array>): void {
  tally = { begun: begun.array, ended: ended.array }
}

export function work(n: number): number {
  Atomics.add(tally!.begun, n, 1)
  const result = resultOf(n)
  Atomics.add(tally!.ended, n, 1)
  return result
}

/** The same for a task that waits, so that a worker may be killed between two turns of its event loop. */
export async function workLater(n: number): Promise<number> {
  Atomics.add(tally!.begun, n, 1)
  await new Promise((resolve) => setImmediate(resolve))
  const result = resultOf(n)
  Atomics.add(tally!.ended, n, 1)
  return result
}

export function resultOf(n: number): number {
  return n * 2 + 1
}
