/**
 * The results of `executor.map`.
 *
 * An `imap` that is read at once and ends at the first error, as Python's `Executor.map`.
 *
 * @module
 */
import { TimeoutError, checkInteger, checkWaitOptions } from '@mp/shared-memory/internal'
import type { Items } from '../chunks.js'
import type { Imap } from '../imap.js'
import type { AnyFunction, Submitter } from '../submitter.js'
import type { ExecutorMapOptions } from './options.js'

type Result = IteratorResult<unknown, undefined>

export class MapResults implements AsyncIterableIterator<unknown, undefined> {
  readonly #results: Imap<readonly unknown[], unknown>
  readonly #timeoutMs: number
  readonly #end: number
  #isOver = false

  static start(
    submitter: Submitter,
    fn: AnyFunction,
    rows: Items<readonly unknown[]>,
    options: ExecutorMapOptions | undefined,
  ): MapResults {
    const timeoutMs = checkWaitOptions(options)
    const { timeout: _, bufferSize, chunkSize = 1, ...rest } = options ?? {}
    checkInteger('chunkSize', chunkSize, 1)
    const buffer = bufferSize ?? Infinity
    if (buffer !== Infinity) checkInteger('bufferSize', buffer, 1)
    const results = submitter.starImap(fn, rows, { ...rest, chunkSize, buffer })
    results.start()
    return new MapResults(results, timeoutMs)
  }

  private constructor(results: Imap<readonly unknown[], unknown>, timeoutMs: number) {
    this.#results = results
    this.#timeoutMs = timeoutMs
    this.#end = performance.now() + timeoutMs
  }

  async next(): Promise<Result> {
    if (this.#isOver) return { done: true, value: undefined }
    try {
      const result = this.#results.next()
      return await (this.#timeoutMs === Infinity ? result : this.#inTime(result))
    } catch (error) {
      await this.return()
      throw error
    }
  }

  /** What has not started does not start. */
  async return(): Promise<Result> {
    if (this.#isOver) return { done: true, value: undefined }
    this.#isOver = true
    return this.#results.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #inTime(result: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const leftMs = Math.min(Math.max(0, this.#end - performance.now()), 0x7fffffff)
      const timer = setTimeout(
        () => reject(new TimeoutError(`The result was not there within ${this.#timeoutMs} ms`)),
        leftMs,
      )
      result.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }
}
