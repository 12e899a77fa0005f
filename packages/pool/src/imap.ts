/**
 * `imap`: results one by one, while the input is still being read.
 *
 * The input is read no further ahead of the consumer than `buffer` items, so
 * neither end can fill the memory.
 *
 * @module
 */
import { type Items, iterate } from './chunks.js'
import { PoolClosedError } from './errors.js'
import { AUTO_CHUNK_MS } from './map-call.js'
import type { ProgressReport } from './progress.js'
import type { Receiver, Task } from './task.js'

/** An item's outcome, as a worker reports it. */
type Settled = readonly [ok: boolean, value: unknown]

/** What an `imap` needs of its pool. */
export interface ImapOptions<T> {
  readonly items: Items<T>
  readonly chunkSize: number | 'auto'
  readonly buffer: number
  readonly ordered: boolean
  readonly progress: ProgressReport | undefined
  /** Gives a chunk to the pool. Throws what is wrong with it. */
  submit(items: T[], receiver: Receiver): Task
  /** Nobody wants its results any more. */
  discard(task: Task, error: unknown): void
  /** Called once, when nothing more will be submitted. */
  ended(): void
}

/** How long whoever leaves early waits for an input to close that has not given its next item yet. */
const CLOSING_MS = 100

async function orSoon(closing: unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const closed = Promise.resolve(closing)
  // Nobody is there to hear of it later.
  closed.catch(() => {})
  const enough = new Promise((resolve) => (timer = setTimeout(resolve, CLOSING_MS)))
  await Promise.race([closed, enough]).finally(() => clearTimeout(timer))
}

export class Imap<T, R> implements AsyncIterableIterator<R> {
  readonly #options: ImapOptions<T>
  readonly #input: Iterator<T> | AsyncIterator<T>
  /** Chunks that are done and not yet consumed, by their place in the input; those out of order, in order of their end. */
  readonly #done = new Map<number, Settled[]>()
  readonly #tasks = new Set<Task>()
  #current: Settled[] = []
  #at = 0
  #size: number
  #chunksRead = 0
  #chunksDone = 0
  #nextChunk = 0
  /** Items read and not yet given to the consumer. */
  #ahead = 0
  #isReading = false
  #isInputOver = false
  #inputError: { error: unknown } | undefined
  #wake: (() => void) | undefined

  constructor(options: ImapOptions<T>) {
    this.#options = options
    this.#size = options.chunkSize === 'auto' ? 1 : options.chunkSize
    this.#input = iterate(options.items)
  }

  /** Submits what may be ahead of the consumer, before it asks. */
  start(): void {
    this.#read()
  }

  /** The next result. Rejects with the error of its item; the results of other items can still be had. */
  next(): Promise<IteratorResult<R, undefined>> {
    this.#read()
    // Others have asked before.
    const isFirst = this.#wake === undefined
    const settled = isFirst ? this.#take() : undefined
    return settled === undefined ? this.#nextLater(isFirst) : this.#give(settled)
  }

  /** Stops reading; what has not started does not start. */
  async return(): Promise<IteratorResult<R, undefined>> {
    const wasOver = this.#isInputOver
    this.#endInput()
    const error = new PoolClosedError()
    for (const task of this.#tasks) this.#options.discard(task, error)
    this.#tasks.clear()
    this.#done.clear()
    this.#current = []
    this.#chunksDone = this.#chunksRead
    this.#inputError = undefined
    this.#options.progress?.end()
    this.#notify()
    const closing = wasOver ? undefined : this.#input.return?.()
    // What an input is in the middle of, its `finally` waits for; and that may take for ever.
    await (this.#isReading ? orSoon(closing) : closing)
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #nextLater(isFirst: boolean): Promise<IteratorResult<R, undefined>> {
    for (let mayTake = isFirst; ; mayTake = true) {
      const settled = mayTake ? this.#take() : undefined
      if (settled !== undefined) return this.#give(settled)
      if (mayTake && this.#isInputOver && this.#chunksDone === this.#chunksRead) {
        this.#options.progress?.end()
        if (this.#inputError === undefined) return { done: true, value: undefined }
        const { error } = this.#inputError
        this.#inputError = undefined
        throw error
      }
      await new Promise<void>((resolve) => {
        const wakeOthers = this.#wake
        this.#wake = () => {
          wakeOthers?.()
          resolve()
        }
      })
      this.#read()
    }
  }

  #give([isValue, value]: Settled): Promise<IteratorResult<R, undefined>> {
    this.#ahead--
    try {
      this.#options.progress?.add(1, isValue ? 0 : 1)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#read()
    return isValue ? Promise.resolve({ done: false, value: value as R }) : Promise.reject(value)
  }

  #take(): Settled | undefined {
    if (this.#at === this.#current.length) {
      const { ordered } = this.#options
      const place = ordered ? this.#nextChunk : (this.#done.keys().next().value ?? -1)
      const chunk = this.#done.get(place)
      if (chunk === undefined) return undefined
      this.#done.delete(place)
      this.#nextChunk++
      this.#current = chunk
      this.#at = 0
    }
    return this.#current[this.#at++]
  }

  /** Reads and submits as much as may be, at once as far as the input gives it at once. */
  #read(): void {
    if (this.#isReading || this.#isInputOver || this.#ahead >= this.#options.buffer) return
    this.#isReading = true
    const chunk: T[] = []
    try {
      while (!this.#isInputOver && this.#ahead < this.#options.buffer) {
        const next = this.#input.next()
        if (next instanceof Promise) return void this.#readLater(next, chunk)
        this.#accept(next, chunk)
      }
    } catch (error) {
      this.#failInput(error, chunk)
    }
    this.#flush(chunk)
    this.#isReading = false
  }

  async #readLater(first: Promise<IteratorResult<T>>, chunk: T[]): Promise<void> {
    try {
      this.#accept(await first, chunk)
      while (!this.#isInputOver && this.#ahead < this.#options.buffer) {
        // What is there goes on its way before the next is waited for.
        if (this.#options.chunkSize === 'auto') this.#flush(chunk)
        this.#accept(await this.#input.next(), chunk)
      }
    } catch (error) {
      this.#failInput(error, chunk)
    }
    this.#flush(chunk)
    this.#isReading = false
    this.#notify()
  }

  #accept({ done, value }: IteratorResult<T>, chunk: T[]): void {
    if (this.#isInputOver) return
    if (done) return this.#endInput()
    chunk.push(value)
    this.#ahead++
    if (chunk.length >= this.#size) this.#flush(chunk)
  }

  /** What came before the error still counts. */
  #failInput(error: unknown, chunk: T[]): void {
    this.#flush(chunk)
    this.#inputError ??= { error }
    this.#endInput()
    this.#notify()
  }

  /** Submits a chunk, and empties it. */
  #flush(chunk: T[]): void {
    if (chunk.length === 0) return
    const items = chunk.splice(0)
    const place = this.#chunksRead++
    let task: Task | undefined
    const settle = (settled: Settled[]): void => {
      if (task !== undefined) this.#tasks.delete(task)
      this.#chunksDone++
      this.#done.set(place, settled)
      this.#notify()
    }
    const reject = (error: unknown): void => settle(items.map((): Settled => [false, error]))
    try {
      task = this.#options.submit(items, {
        timed: (runMs) => this.#adapt(items.length, runMs),
        resolve: (values) => {
          settle(values as Settled[])
        },
        reject,
      })
      if (!task.isSettled) this.#tasks.add(task)
    } catch (error) {
      reject(error)
    }
  }

  #endInput(): void {
    if (this.#isInputOver) return
    this.#isInputOver = true
    this.#options.ended()
  }

  #adapt(count: number, runMs: number): void {
    const { chunkSize, buffer } = this.#options
    if (chunkSize !== 'auto') return
    const wanted = Math.round((AUTO_CHUNK_MS * count) / Math.max(runMs, 0.001))
    this.#size = Math.max(1, Math.min(wanted, this.#size * 8, Math.floor(buffer / 8)))
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
