/**
 * A wait for something that tells when it happens.
 *
 * @module
 */

/**
 * @param start is called at once, with what ends the wait.
 * @returns false when time is up before.
 * @throws the reason of the signal when that aborts before.
 */
export function sleepUntil(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  start: (wake: () => void) => void,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      finish()
    }
    const onAbort = (): void => settle(() => reject(signal?.reason as Error))
    const timer =
      timeoutMs === Infinity
        ? undefined
        : setTimeout(() => settle(() => resolve(false)), Math.min(timeoutMs, 0x7fffffff))
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    start(() => settle(() => resolve(true)))
  })
}
