/**
 * How far a `map` or `imap` has come: told to a callback, drawn as a bar.
 *
 * @module
 */
import { AsyncResource } from 'node:async_hooks'
import type { CheckedTaskOptions, Progress } from './options.js'
import { ProgressBar } from './progress-bar.js'

export class ProgressReport {
  readonly #total: number | undefined
  readonly #tell: ((progress: Progress) => void) | undefined
  readonly #bar: ProgressBar | undefined
  readonly #since = performance.now()
  #done = 0
  #failed = 0

  /** Undefined when nobody wants to know. */
  static of(options: CheckedTaskOptions, total: number | undefined): ProgressReport | undefined {
    const { onProgress, progress } = options
    const bar = progress ? ProgressBar.on(process.stderr) : undefined
    if (onProgress === undefined && bar === undefined) return undefined
    // Results come from elsewhere; the callback is to see what its caller sees (`AsyncLocalStorage`).
    const tell = onProgress === undefined ? undefined : AsyncResource.bind(onProgress)
    return new ProgressReport(total, tell, bar)
  }

  private constructor(
    total: number | undefined,
    tell: ((progress: Progress) => void) | undefined,
    bar: ProgressBar | undefined,
  ) {
    this.#total = total
    this.#tell = tell
    this.#bar = bar
    bar?.draw(this.#now())
  }

  /** So many items more are done. Throws what the callback throws. */
  add(count: number, failed: number): void {
    this.#done += count
    this.#failed += failed
    const now = this.#now()
    this.#bar?.draw(now)
    this.#tell?.(now)
  }

  end(): void {
    this.#bar?.end(this.#now())
  }

  #now(): Progress {
    const elapsedMs = performance.now() - this.#since
    const rate = elapsedMs > 0 ? (this.#done / elapsedMs) * 1000 : 0
    const left = this.#total === undefined ? undefined : this.#total - this.#done
    return {
      done: this.#done,
      total: this.#total,
      failed: this.#failed,
      elapsedMs,
      rate,
      etaMs: left === undefined || rate === 0 ? undefined : (left / rate) * 1000,
    }
  }
}
