/**
 * How many tasks may wait, and waiting until fewer do.
 *
 * A pool takes what it is given, as Python's does: who gives it a million tasks keeps a million tasks. Who wants to bound that
 * waits for room before each call, or lets the pool refuse (`maxQueued`).
 *
 * @module
 */
import { type WaitOptions, checkInteger, checkWaitOptions } from '@mp/shared-memory/internal'
import { PoolFullError } from './errors.js'
import { sleepUntil } from './sleep-until.js'

/** Options of `pool.room()`. */
export interface RoomOptions extends WaitOptions {
  /**
   * Fewer tasks than so many wait then; with 0, a worker has nothing to do.
   *
   * @default the pool's `maxQueued`, or 1000 where that is Infinity
   */
  queued?: number | undefined
}

/** Without a limit, so many may wait before one has to. */
const USUAL = 1000

interface Waiter {
  readonly limit: number
  readonly wake: () => void
}

export class Room {
  readonly #most: number
  readonly #queued: () => number
  readonly #waitSync: (isSettled: () => boolean) => void
  readonly #waiters = new Set<Waiter>()

  /**
   * @param most how many tasks may wait.
   * @param queued how many wait; negative when workers have nothing to do.
   */
  constructor(most: number, queued: () => number, waitSync: (isSettled: () => boolean) => void) {
    this.#most = most
    this.#queued = queued
    this.#waitSync = waitSync
  }

  /** Throws when one more may not wait. */
  check(): void {
    if (this.#queued() >= this.#most) throw new PoolFullError(this.#most)
  }

  /** A task is settled. */
  changed(): void {
    if (this.#waiters.size === 0) return
    const queued = this.#queued()
    for (const waiter of this.#waiters) {
      if (queued >= waiter.limit) continue
      this.#waiters.delete(waiter)
      waiter.wake()
    }
  }

  async wait(options: RoomOptions | undefined): Promise<boolean> {
    const timeoutMs = checkWaitOptions(options)
    const limit = this.#limit(options)
    const signal = options?.signal
    signal?.throwIfAborted()
    if (this.#queued() < limit) return true
    if (timeoutMs <= 0) return false
    let waiter: Waiter | undefined
    try {
      return await sleepUntil(timeoutMs, signal, (wake) => {
        waiter = { limit, wake }
        this.#waiters.add(waiter)
      })
    } finally {
      this.#waiters.delete(waiter as unknown as Waiter)
    }
  }

  /** Blocks this thread until one more may wait. */
  waitUnlessEndless(): void {
    if (this.#most !== Infinity) this.waitSync()
  }

  waitSync(options?: RoomOptions): boolean {
    const timeoutMs = checkWaitOptions(options)
    const limit = this.#limit(options)
    options?.signal?.throwIfAborted()
    const end = performance.now() + timeoutMs
    const hasRoom = (): boolean => this.#queued() < limit
    if (!hasRoom() && timeoutMs > 0) this.#waitSync(() => hasRoom() || performance.now() >= end)
    return hasRoom()
  }

  #limit(options: RoomOptions | undefined): number {
    const usual = this.#most === Infinity ? USUAL : this.#most
    return checkInteger('queued', options?.queued ?? usual, 0)
  }
}
