/**
 * Those who wait for one thing of this thread's, first come, first served.
 *
 * The counterpart of the core's waits for what is not in shared memory: sockets. Whoever sees that
 * something has happened calls `serve`.
 *
 * @module
 */
import { PENDING, type Pending } from '@mp/shared-memory/internal'

interface Waiter {
  attempt(): unknown
  settle(result: unknown): void
  fail(error: unknown): void
}

/** How somebody waits. */
export interface Patience {
  /** In milliseconds. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Called at once when the wait ends without a result, before others try. */
  readonly abandon?: () => void
}

/** What a timer holds: 31 bits. */
const MAX_TIMER_MS = 0x7fffffff

export class Line {
  readonly #waiters: Waiter[] = []
  readonly #onBusy: (isBusy: boolean) => void

  /** @param onBusy told when the first one comes and when the last one has left. */
  constructor(onBusy: (isBusy: boolean) => void) {
    this.#onBusy = onBusy
  }

  /**
   * Waits until `attempt` gives something else than `PENDING`, or throws.
   *
   * @returns `PENDING` when the time passes first. Rejects with the signal's reason when it aborts.
   */
  wait<T>(attempt: () => T | Pending, patience: Patience): Promise<T | Pending> {
    const { timeoutMs, signal, abandon } = patience
    try {
      signal?.throwIfAborted()
      if (this.#waiters.length === 0) {
        const result = attempt()
        if (result !== PENDING) return Promise.resolve(result)
      }
    } catch (error) {
      abandon?.()
      return Promise.reject(error)
    }
    if (timeoutMs > 0) return this.#stand(attempt, patience)
    abandon?.()
    return Promise.resolve(PENDING)
  }

  /** Lets all try, in their order, as far as that works. */
  serve(): void {
    for (;;) {
      const head = this.#waiters[0]
      if (head === undefined) return
      let result: unknown
      try {
        result = head.attempt()
      } catch (error) {
        head.fail(error)
        continue
      }
      if (result === PENDING) return
      head.settle(result)
    }
  }

  #stand<T>(
    attempt: () => T | Pending,
    { timeoutMs, signal, abandon }: Patience,
  ): Promise<T | Pending> {
    return new Promise<T | Pending>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const leave = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        if (this.#waiters.length === 0) this.#onBusy(false)
      }
      const waiter: Waiter = {
        attempt,
        settle: (result) => {
          leave()
          if (result === PENDING) abandon?.()
          resolve(result as T)
        },
        fail: (error) => {
          leave()
          abandon?.()
          reject(error)
        },
      }
      const onAbort = (): void => {
        waiter.fail(signal?.reason)
        // Whoever is first now may have been in its way.
        this.serve()
      }
      const expire = (left: number): void => {
        timer = setTimeout(
          () => {
            if (left > MAX_TIMER_MS) return expire(left - MAX_TIMER_MS)
            // What came in time counts, also when this thread was too busy to look before its timers.
            this.serve()
            if (!this.#waiters.includes(waiter)) return
            waiter.settle(PENDING)
            this.serve()
          },
          Math.min(left, MAX_TIMER_MS),
        )
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      if (timeoutMs !== Infinity) expire(timeoutMs)
      if (this.#waiters.push(waiter) === 1) this.#onBusy(true)
    })
  }
}
