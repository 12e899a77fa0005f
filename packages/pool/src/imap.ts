/**
 * `imap`: results one by one, while the input is still being read.
 *
 * The input is read no further ahead of the consumer than `buffer` items, so
 * neither end can fill the memory.
 *
 * @module
 */
import { type Items, iterate } from './chunks.js'
import type { Outcome } from './task.js'

/** An item's outcome, as a worker reports it. */
type Settled = readonly [ok: boolean, value: unknown]

/** What an `imap` needs of its pool. */
export interface ImapOptions<T> {
  readonly items: Items<T>
  readonly chunkSize: number
  readonly buffer: number
  readonly ordered: boolean
  /** Gives a chunk to the pool; the function returned withdraws it if it has not started. */
  submit(items: T[], settle: (outcome: Outcome) => void): () => void
  /** Called once, when nothing more will be submitted. */
  ended(): void
  onProgress(done: number): void
}

export class Imap<T, R> implements AsyncIterableIterator<R> {
  readonly #options: ImapOptions<T>
  readonly #input: Iterator<T> | AsyncIterator<T>
  /** Chunks that are done and not yet consumed; if ordered, at their place in the input. */
  readonly #done = new Map<number, Settled[]>()
  readonly #withdrawals = new Set<() => void>()
  #current: Settled[] = []
  #chunksRead = 0
  #chunksDone = 0
  #nextChunk = 0
  /** Items read and not yet given to the consumer. */
  #ahead = 0
  #consumed = 0
  #reading = false
  #inputEnded = false
  #inputError: { error: unknown } | undefined
  #wake: () => void = () => {}

  constructor(options: ImapOptions<T>) {
    this.#options = options
    this.#input = iterate(options.items)
  }

  /** The next result. Rejects with the error of its item; the results of other items can still be had. */
  async next(): Promise<IteratorResult<R, undefined>> {
    for (;;) {
      void this.#read()
      const settled = this.#take()
      if (settled !== undefined) {
        this.#ahead--
        this.#options.onProgress(++this.#consumed)
        void this.#read()
        if (!settled[0]) throw settled[1]
        return { done: false, value: settled[1] as R }
      }
      if (this.#inputEnded && this.#chunksDone === this.#chunksRead) {
        if (this.#inputError === undefined) return { done: true, value: undefined }
        const { error } = this.#inputError
        this.#inputError = undefined
        throw error
      }
      await new Promise<void>((resolve) => {
        const wakeOthers = this.#wake
        this.#wake = () => {
          wakeOthers()
          resolve()
        }
      })
    }
  }

  /** Stops reading; what has not started does not start. */
  async return(): Promise<IteratorResult<R, undefined>> {
    await this.#endInput()
    for (const withdraw of this.#withdrawals) withdraw()
    this.#done.clear()
    this.#current = []
    this.#chunksDone = this.#chunksRead
    this.#notify()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(): Settled | undefined {
    if (this.#current.length === 0) {
      const { ordered } = this.#options
      const at = ordered ? this.#nextChunk : (this.#done.keys().next().value ?? -1)
      const chunk = this.#done.get(at)
      if (chunk === undefined) return undefined
      this.#done.delete(at)
      this.#nextChunk++
      // Last first, so that taking is cheap.
      this.#current = chunk.reverse()
    }
    return this.#current.pop()
  }

  async #read(): Promise<void> {
    if (this.#reading || this.#inputEnded) return
    this.#reading = true
    try {
      while (!this.#inputEnded && this.#ahead < this.#options.buffer) {
        const chunk = await this.#readChunk()
        if (chunk.length > 0) this.#submit(chunk)
      }
    } catch (error) {
      this.#inputError = { error }
      this.#inputEnd()
    } finally {
      this.#reading = false
    }
    this.#notify()
  }

  async #readChunk(): Promise<T[]> {
    const { chunkSize, buffer } = this.#options
    const chunk: T[] = []
    while (chunk.length < chunkSize && this.#ahead < buffer) {
      const next = this.#input.next()
      const { done, value } = next instanceof Promise ? await next : next
      if (done) {
        this.#inputEnd()
        break
      }
      if (this.#inputEnded) break
      chunk.push(value)
      this.#ahead++
    }
    return chunk
  }

  #submit(items: T[]): void {
    const at = this.#chunksRead++
    let withdraw = (): void => {}
    withdraw = this.#options.submit(items, (outcome) => {
      this.#withdrawals.delete(withdraw)
      this.#chunksDone++
      const settled = outcome.ok
        ? (outcome.value as Settled[])
        : items.map((): Settled => [false, outcome.error])
      this.#done.set(at, settled)
      this.#notify()
    })
    this.#withdrawals.add(withdraw)
  }

  async #endInput(): Promise<void> {
    if (this.#inputEnded) return
    this.#inputEnd()
    await this.#input.return?.()
  }

  #inputEnd(): void {
    if (this.#inputEnded) return
    this.#inputEnded = true
    this.#options.ended()
  }

  #notify(): void {
    const wake = this.#wake
    this.#wake = () => {}
    wake()
  }
}
