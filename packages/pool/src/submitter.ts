/**
 * Turns calls into tasks.
 *
 * @module
 */
import { dumps } from '@mp/pickle'
import { checkInteger, keepInFlight, wrongType } from '@mp/shared-memory/internal'
import { type Items, checkItems, chunk, defaultChunkSize } from './chunks.js'
import type { Dispatcher } from './dispatcher.js'
import { PoolClosedError } from './errors.js'
import type { SentFunctions } from './functions.js'
import { Imap } from './imap.js'
import { type FunctionReference, MODE } from './messages.js'
import {
  type CheckedTaskOptions,
  type ImapCallOptions,
  type MapOptions,
  checkChunkSize,
  checkFunction,
  checkTaskOptions,
} from './options.js'
import type { Outcome, Task, TaskOptions } from './task.js'

type AnyFunction = (...args: never[]) => unknown
type Settle = (outcome: Outcome) => void

/** What a submitter needs of its pool. */
export interface SubmitterPool {
  readonly processes: number
  readonly dispatcher: Dispatcher
  readonly functions: SentFunctions
  /** Throws when the pool takes no more tasks. */
  checkOpen(): void
}

export class Submitter {
  readonly #pool: SubmitterPool

  constructor(pool: SubmitterPool) {
    this.#pool = pool
  }

  /** `fn(...args)` as one task. Throws what is wrong with the call. */
  call(
    fn: AnyFunction,
    args: readonly unknown[] = [],
    options: TaskOptions | undefined,
    settle: Settle,
  ): void {
    checkFunction('fn', fn)
    if (!Array.isArray(args)) throw wrongType('args', 'an array', args)
    const checked = checkTaskOptions(options)
    this.#pool.checkOpen()
    const { result, cancel } = keepInFlight(() => this.#encode(fn, () => dumps(args)))
    this.#submit(MODE.call, result.reference, result.payload, fn.name, checked, (outcome) => {
      cancel()
      settle(outcome)
    })
  }

  /** All items in chunks; settles with an array of results, or with the first error. */
  map(
    mode: number,
    fn: AnyFunction,
    items: readonly unknown[],
    options: MapOptions | undefined,
    settle: Settle,
  ): void {
    checkFunction('fn', fn)
    const checked = checkTaskOptions(options)
    const { functions, dispatcher, processes } = this.#pool
    const size = checkChunkSize(options?.chunkSize) ?? defaultChunkSize(items.length, processes)
    this.#pool.checkOpen()
    if (items.length === 0) return settle({ ok: true, value: [] })
    const { result, cancel } = keepInFlight(() =>
      this.#encode(fn, () => chunk(items, size).map((piece) => dumps(piece))),
    )
    const { reference, payload: payloads } = result
    const results: unknown[][] = []
    const tasks: Task[] = []
    let left = payloads.length
    let done = 0
    let failed = false
    for (const [i, payload] of payloads.entries()) {
      functions.again(reference)
      const task = this.#submit(mode, reference, payload, fn.name, checked, (outcome) => {
        if (failed) return
        if (!outcome.ok) {
          failed = true
          cancel()
          settle(outcome)
          for (const other of tasks) dispatcher.withdraw(other, outcome.error)
          return
        }
        const values = (results[i] = outcome.value as unknown[])
        done += values.length
        checked.onProgress({ done, total: items.length })
        if (--left > 0) return
        cancel()
        settle({ ok: true, value: results.flat() })
      })
      tasks.push(task)
      if (failed) break
    }
    functions.release(reference)
  }

  /** Items one by one or in small chunks, as the consumer asks for them. */
  imap<T, R>(
    fn: (item: T) => R,
    items: Items<T>,
    options: ImapCallOptions | undefined,
    ordered: boolean,
  ): AsyncIterableIterator<Awaited<R>> {
    checkFunction('fn', fn)
    checkItems(items)
    const checked = checkTaskOptions(options)
    const chunkSize = checkChunkSize(options?.chunkSize) ?? 1
    const { functions, dispatcher, processes } = this.#pool
    const buffer = checkInteger('buffer', options?.buffer ?? 4 * processes * chunkSize, 1)
    this.#pool.checkOpen()
    const reference = functions.use(fn)
    return new Imap<T, Awaited<R>>({
      items,
      chunkSize,
      buffer,
      ordered,
      submit: (piece, settle) => {
        try {
          this.#pool.checkOpen()
          const { result: payload, cancel } = keepInFlight(() => dumps(piece))
          functions.again(reference)
          const task = this.#submit(MODE.each, reference, payload, fn.name, checked, (outcome) => {
            cancel()
            settle(outcome)
          })
          return () => dispatcher.withdraw(task, new PoolClosedError())
        } catch (error) {
          settle({ ok: false, error })
          return () => {}
        }
      },
      ended: () => functions.release(reference),
      onProgress: (done) => checked.onProgress({ done, total: undefined }),
    })
  }

  /** The function, put where workers find it, and what it is applied to. */
  #encode<P>(fn: AnyFunction, encode: () => P): { reference: FunctionReference; payload: P } {
    const reference = this.#pool.functions.use(fn)
    try {
      return { reference, payload: encode() }
    } catch (error) {
      this.#pool.functions.release(reference)
      throw error
    }
  }

  #submit(
    mode: number,
    fn: FunctionReference,
    payload: Uint8Array,
    name: string,
    { timeoutMs, signal, retries, priority }: CheckedTaskOptions,
    settle: Settle,
  ): Task {
    const task: Task = {
      mode,
      fn,
      payload,
      label: name === '' ? 'an anonymous function' : `${name}()`,
      priority,
      timeoutMs,
      signal,
      retriesLeft: retries,
      number: -1,
      settle: (outcome) => {
        this.#pool.functions.release(fn)
        settle(outcome)
      },
    }
    this.#pool.dispatcher.submit(task)
    return task
  }
}
