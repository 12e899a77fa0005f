/**
 * When the results of a pool are looked for: by the event loop as long as there are tasks, and by a call that blocks its
 * thread until something is settled.
 *
 * @module
 */
import { Spinning, type Waitable } from '@mp/shared-memory/internal'
import type { PoolCore } from './pool-core.js'

/** How many results are handled before timers and others get a turn. */
const TURN = 1000
/** How long the event loop waits for a result at once, where that has paid lately: it takes longer to wake by itself. */
const AT_ONCE_MS = 0.15
/** How long a thread that waits for a result sleeps: it hears of a worker's death only by looking. */
const BLOCK_MS = 20

/** Who has the tasks. */
export interface ResultTaker {
  /** Settles what there are results of. @returns how many there were. @throws when shared memory makes no sense. */
  drain(most: number): number
  /** Whether there are tasks that are not settled. */
  isBusy(): boolean
  /** Does what a thread that is blocked has heard nothing of: of deaths, of limits of time. */
  checkAll(): void
  /** What `drain` has thrown in the event loop. */
  corrupt(error: unknown): void
}

export class ResultWatch {
  readonly #core: PoolCore
  readonly #taker: ResultTaker
  readonly #polling: Waitable<true>
  /** The same, until there are no tasks either. */
  readonly #pollingWhileBusy: Waitable<unknown>
  readonly #atOnce = new Spinning()
  #isListening = false

  constructor(core: PoolCore, taker: ResultTaker) {
    this.#core = core
    this.#taker = taker
    this.#polling = core.polling()
    const polling = core.results.polling()
    const attempt: typeof polling.attempt = () => (taker.isBusy() ? polling.attempt() : true)
    this.#pollingWhileBusy = { ...polling, attempt }
  }

  /** Takes results as long as there are tasks; only then does a pool keep the process alive. */
  listen(): void {
    if (this.#isListening) return
    this.#isListening = true
    setImmediate(this.#look)
  }

  /** Says that all tasks are settled. It may sleep, and keep the process alive. */
  idle(): void {
    if (!this.#isListening) return
    const { session, results } = this.#core
    session.waiting.serveLine(results.notEmpty)
  }

  /** Blocks this thread until something is settled. */
  waitSync(isSettled: () => boolean): void {
    const core = this.#core
    const taker = this.#taker
    while (!isSettled()) {
      if (taker.drain(TURN) > 0 && isSettled()) return
      core.session.waiting.block(this.#polling, core.now() + BLOCK_MS)
      if (core.results.size === 0) taker.checkAll()
    }
  }

  readonly #look = (): void => {
    const taker = this.#taker
    let count: number
    try {
      count = taker.drain(TURN)
      if (count === 0 && taker.isBusy() && this.#waitAtOnce()) count = taker.drain(TURN)
    } catch (error) {
      this.#isListening = false
      return taker.corrupt(error)
    }
    if (!taker.isBusy()) this.#isListening = false
    else if (count > 0) setImmediate(this.#look)
    else void this.#sleep()
  }

  /**
   * Blocks the event loop for a moment, where that has paid lately: it looks for a result, then sleeps where whoever has
   * one wakes it directly. An event loop that sleeps is woken by a thread that is woken first.
   */
  #waitAtOnce(): boolean {
    if (!this.#atOnce.isWorthIt()) return false
    const core = this.#core
    const hasResult = core.session.waiting.block(this.#polling, core.now() + AT_ONCE_MS) === true
    this.#atOnce.note(hasResult)
    return hasResult
  }

  /** Waits without taking: a result in a promise would be out of reach for a call that blocks this thread. */
  async #sleep(): Promise<void> {
    await this.#core.session.waiting.async(this.#pollingWhileBusy, Infinity)
    this.#look()
  }
}
