/**
 * Waiting in tests: for something to become so, and never for ever.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'

const INTERVAL_MS = 10

/**
 * Looks again and again until it is so.
 *
 * @returns false when `timeoutMs` passes first.
 */
export async function becomes(isSo: () => boolean, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs
  for (;;) {
    if (isSo()) return true
    if (performance.now() > end) return false
    await sleep(INTERVAL_MS)
  }
}

/** As `becomes`, but throws; `what` completes "Waited in vain until". */
export async function until(what: string, isSo: () => boolean, timeoutMs = 20_000): Promise<void> {
  if (!(await becomes(isSo, timeoutMs))) {
    throw new Error(`Waited in vain until ${what}, for ${timeoutMs} ms`)
  }
}
