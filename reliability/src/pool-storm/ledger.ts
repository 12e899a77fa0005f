/**
 * What became of each task of a storm, and whether that may be.
 *
 * @module
 */
import { WorkerLostError } from '@mp/pool'
import { resultOf } from './tasks.js'

/** How a task was given. */
export interface Terms {
  /** It is tried again when its worker dies. */
  readonly isRetried: boolean
  /** The reason of its signal, when it may be aborted. */
  readonly reason: Error | undefined
}

/** At most so many problems are told. */
const MOST_TOLD = 20

export class Ledger {
  readonly problems: string[] = []
  /** How often each task has settled. */
  readonly #settled: Uint8Array
  fulfilled = 0
  aborted = 0
  /** Items whose worker died. */
  lost = 0
  /** Deaths that tasks were rejected with; those of one chunk have one in common. */
  readonly losses: Set<unknown> = new Set()
  count = 0

  constructor(tasks: number) {
    this.#settled = new Uint8Array(tasks)
  }

  fulfil(n: number, value: unknown): void {
    this.#settle(n)
    this.fulfilled++
    if (value !== resultOf(n)) this.problem(`task ${n} gave ${String(value)}`)
  }

  reject(n: number, error: unknown, { isRetried, reason }: Terms): void {
    this.#settle(n)
    if (reason !== undefined && error === reason) {
      this.aborted++
    } else if (error instanceof WorkerLostError && !isRetried) {
      this.lost++
      this.losses.add(error)
      if (error.signal !== 'SIGKILL') this.problem(`task ${n} was lost by ${error.message}`)
    } else {
      this.problem(`task ${n} rejects with ${String(error)}`)
    }
  }

  /** Compares what was settled with what was begun and ended. */
  check(tasks: number, begun: Int32Array, ended: Int32Array, wasRetried: Uint8Array): void {
    for (let n = 0; n < tasks; n++) {
      if (this.#settled[n] !== 1) this.problem(`task ${n} has settled ${this.#settled[n]} times`)
      if (ended[n] > begun[n]) this.problem(`task ${n} ended ${ended[n]} times, began ${begun[n]}`)
      if (wasRetried[n] === 0 && begun[n] > 1) this.problem(`task ${n} began ${begun[n]} times`)
    }
  }

  problem(text: string): void {
    if (this.problems.length < MOST_TOLD) this.problems.push(text)
  }

  #settle(n: number): void {
    this.#settled[n]++
    this.count++
  }
}
