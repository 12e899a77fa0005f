/**
 * One `map` or `starmap`: cuts the items into chunks, and puts the results together.
 *
 * @module
 */
import { defaultChunkSize, join } from './chunks.js'
import type { SentFunction } from './functions.js'
import { MODE } from './messages.js'
import type { CheckedTaskOptions } from './options.js'
import { ProgressReport } from './progress.js'
import type { Submitter, SubmitterPool } from './submitter.js'
import type { Receiver, Task } from './task.js'

/** What is mapped, and how. */
export interface MapCallOptions {
  readonly sent: SentFunction
  readonly items: readonly unknown[]
  readonly isStar: boolean
  /** Whether an error is an outcome like any other. */
  readonly settle: boolean
  readonly chunkSize: number | 'auto' | undefined
  readonly options: CheckedTaskOptions
  readonly receiver: Receiver
}

/** An item's outcome, as a worker reports it. */
type Settled = readonly [ok: boolean, value: unknown]

/** How long a chunk is to take that finds its own size. */
export const AUTO_CHUNK_MS = 200

export class MapCall {
  readonly #submitter: Submitter
  readonly #pool: SubmitterPool
  readonly #call: MapCallOptions
  /** Results by chunk, in order of the items. */
  readonly #results: unknown[][] = []
  readonly #progress: ProgressReport | undefined
  readonly #tasks = new Set<Task>()
  readonly #mode: number
  /** How many items are cut into chunks. */
  #cut = 0
  #done = 0
  #isOver = false
  #size: number
  /** Each chunk is submitted before this one's results are known, up to so many. */
  readonly #ahead: number

  constructor(submitter: Submitter, pool: SubmitterPool, call: MapCallOptions) {
    this.#submitter = submitter
    this.#pool = pool
    this.#call = call
    const { items, isStar, settle, chunkSize, options } = call
    this.#progress = ProgressReport.of(options, items.length)
    this.#mode = settle ? (isStar ? MODE.starEach : MODE.each) : isStar ? MODE.starmap : MODE.map
    this.#size =
      chunkSize === 'auto' ? 1 : (chunkSize ?? defaultChunkSize(items.length, pool.size()))
    this.#ahead = chunkSize === 'auto' ? 2 * pool.size() : Infinity
    // For those chunks that are cut later.
    call.sent.uses++
  }

  start(): void {
    try {
      this.#submitMore()
    } catch (error) {
      this.#reject(error)
    }
  }

  #submitMore(): void {
    const { items, sent, options } = this.#call
    while (!this.#isOver && this.#cut < items.length && this.#tasks.size < this.#ahead) {
      const chunk = this.#pool.shared.replaceIn(
        items.slice(this.#cut, this.#cut + this.#size),
        this.#call.isStar,
      )
      this.#cut += chunk.length
      const place = this.#results.push([]) - 1
      // It may be settled before we know it.
      const own: { task?: Task } = {}
      let runMs = 0
      const over = (): void => {
        if (own.task !== undefined) this.#tasks.delete(own.task)
      }
      own.task = this.#submitter.submit(this.#mode, sent, chunk, chunk.length, options, {
        timed: (ms) => (runMs = ms),
        resolve: (values) => {
          over()
          this.#add(place, values as unknown[], runMs)
        },
        reject: (error) => {
          over()
          this.#fail(place, chunk.length, error)
        },
      })
      if (!own.task.isSettled) this.#tasks.add(own.task)
    }
  }

  #add(place: number, values: unknown[], runMs: number): void {
    if (this.#isOver) return
    let failed = 0
    if (this.#call.settle) {
      this.#results[place] = (values as Settled[]).map(([ok, value]) => {
        if (ok) return { status: 'fulfilled', value }
        failed++
        return { status: 'rejected', reason: value }
      })
    } else {
      this.#results[place] = values
    }
    this.#adapt(values.length, runMs)
    this.#advance(values.length, failed)
  }

  #fail(place: number, length: number, error: unknown): void {
    if (this.#isOver) return
    if (!this.#call.settle) return this.#reject(error)
    this.#results[place] = Array.from({ length }, () => ({ status: 'rejected', reason: error }))
    this.#advance(length, length)
  }

  #advance(count: number, failed: number): void {
    this.#done += count
    try {
      this.#progress?.add(count, failed)
      this.#submitMore()
    } catch (error) {
      return this.#reject(error)
    }
    if (this.#done < this.#call.items.length || this.#isOver) return
    this.#end(() => this.#call.receiver.resolve(join(this.#results)))
  }

  #reject(error: unknown): void {
    this.#end(() => this.#call.receiver.reject(error))
    for (const task of this.#tasks) this.#pool.dispatcher.discard(task, error)
  }

  #end(settle: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#progress?.end()
    this.#pool.functions.release(this.#call.sent)
    settle()
  }

  /** Chunks grow until they take long enough, and leave some for every worker at the end. */
  #adapt(count: number, runMs: number): void {
    if (this.#call.chunkSize !== 'auto') return
    const wanted = Math.round((AUTO_CHUNK_MS * count) / Math.max(runMs, 0.001))
    const fair = Math.ceil((this.#call.items.length - this.#cut) / (2 * this.#pool.size()))
    this.#size = Math.max(1, Math.min(wanted, this.#size * 8, fair))
  }
}
