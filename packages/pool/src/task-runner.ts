/**
 * Runs one task after the other, as the worker takes them.
 *
 * @module
 */
import { loads, loadsAsync } from '@mp/pickle'
import type { Taken } from '@mp/shared-memory/internal'
import { runningTask } from './current-task.js'
import { ReceivedFunctions } from './functions.js'
import { MODE, STATUS, TASK_HEAD, readTaskHead } from './messages.js'
import type { PoolCore, TaskMessage } from './pool-core.js'
import type { Reporter } from './reporter.js'

type Called = (...args: unknown[]) => unknown

export class TaskRunner {
  readonly #core: PoolCore
  readonly #index: number
  readonly #reporter: Reporter
  readonly #functions: ReceivedFunctions

  constructor(core: PoolCore, index: number, reporter: Reporter) {
    this.#core = core
    this.#index = index
    this.#reporter = reporter
    this.#functions = new ReceivedFunctions(core.session)
  }

  /**
   * Runs the task that the worker has signed for, and puts its result.
   *
   * CRASH: before the result is put, the task died with the worker. After it, before the worker clears its signature:
   * the pool finds the result first and blames nobody.
   */
  run(message: TaskMessage): Promise<void> | undefined {
    const core = this.#core
    const number = (core.claim(this.#index) - 1) & 0x7fffffff
    const now = core.now()
    this.#reporter.startedAt = now
    if (!core.start(this.#index, number, now)) {
      // Its pages are to be freed.
      if (!(message instanceof Uint8Array)) message.read(() => {})
      return this.#reporter.report(number, STATUS.dropped, undefined)
    }
    runningTask.begin(core, this.#index)
    let value: unknown
    try {
      value = message instanceof Uint8Array ? this.#runBytes(message) : this.#runLong(message)
      if (isThenable(value)) return this.#finishLater(number, value)
    } catch (error) {
      return this.#finish(number, STATUS.error, error)
    }
    return this.#finish(number, STATUS.value, value)
  }

  #runBytes(message: Uint8Array): unknown {
    const { mode, fn: reference } = readTaskHead(message)
    const payload = message.subarray(TASK_HEAD)
    const fn = this.#functions.get(reference)
    if (fn === undefined) return this.#load(reference, mode, payload)
    return this.#apply(fn, mode, payload)
  }

  /** Decodes a long message where it lies, unless that takes turns of the event loop; its pages are free when this is done. */
  #runLong(message: Taken): unknown {
    const run = message.read((bytes, length) => {
      const { mode, fn: reference } = readTaskHead(bytes)
      const fn = this.#functions.get(reference)
      const payload = bytes.subarray(TASK_HEAD, length)
      const args = fn === undefined ? undefined : this.#decodeNow(payload)
      if (fn !== undefined && args !== undefined) return () => this.#call(fn, mode, args)
      const own = bytes.slice(0, length)
      return () => this.#runBytes(own)
    })
    return run()
  }

  /** The arguments; undefined when they need modules that have to be waited for. */
  #decodeNow(payload: Uint8Array): unknown[] | undefined {
    const before = this.#core.now()
    try {
      return loads(payload) as unknown[]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error
      return undefined
    } finally {
      this.#reporter.codecMs += this.#core.now() - before
    }
  }

  #apply(fn: Called, mode: number, payload: Uint8Array): unknown {
    const before = this.#reporter.startedAt
    let args: unknown[]
    try {
      args = loads(payload) as unknown[]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error
      return loadsAsync(payload).then((items) => this.#call(fn, mode, items as unknown[]))
    }
    this.#reporter.codecMs += this.#core.now() - before
    return this.#call(fn, mode, args)
  }

  #call(fn: Called, mode: number, payload: unknown[]): unknown {
    if (mode === MODE.call) return fn(...payload)
    return inOrder(payload, eachOf(fn, mode), this.#core.toldLook(this.#index))
  }

  async #load(
    reference: Parameters<ReceivedFunctions['load']>[0],
    mode: number,
    payload: Uint8Array,
  ): Promise<unknown> {
    return this.#apply(await this.#functions.load(reference), mode, payload)
  }

  async #finishLater(number: number, value: PromiseLike<unknown>): Promise<void> {
    let result: unknown
    let status: number = STATUS.value
    try {
      result = await value
    } catch (error) {
      status = STATUS.error
      result = error
    }
    await this.#finish(number, status, result)
  }

  #finish(number: number, status: number, value: unknown): Promise<void> | undefined {
    runningTask.end()
    this.#reporter.runMs = this.#core.now() - this.#reporter.startedAt
    return this.#reporter.report(number, status, value)
  }
}

const FAST_LENGTH = 2 ** 24

/** What is done with one item. */
function eachOf(fn: Called, mode: number): Called {
  switch (mode) {
    case MODE.map:
      return (item) => fn(item)
    case MODE.starmap:
      return (item) => fn(...(item as unknown[]))
    case MODE.each:
      return (item) => settle(() => fn(item))
    default:
      return (item) => settle(() => fn(...(item as unknown[])))
  }
}

/**
 * Applies `each` to one item after the other, until nobody wants the results; a promise only if one of them is.
 *
 * @param isTold whether the task is called off.
 */
function inOrder(items: readonly unknown[], each: Called, isTold: () => boolean): unknown {
  const { length } = items
  // Made for all at once, unless V8 would take it for a dictionary.
  // oxlint-disable-next-line unicorn/no-new-array -- it is the length
  const results = length <= FAST_LENGTH ? new Array<unknown>(length) : []
  for (let i = 0; i < length; i++) {
    if (isTold()) {
      results.length = i
      break
    }
    const result = each(items[i])
    if (isThenable(result)) {
      results.length = i
      return inOrderAsync(items, each, isTold, results, result)
    }
    results[i] = result
  }
  return results
}

async function inOrderAsync(
  items: readonly unknown[],
  each: Called,
  isTold: () => boolean,
  results: unknown[],
  first: PromiseLike<unknown>,
): Promise<unknown[]> {
  results.push(await first)
  while (results.length < items.length && !isTold()) {
    results.push(await each(items[results.length]))
  }
  return results
}

/** An outcome: `[true, value]` or `[false, error]`. */
function settle(call: () => unknown): unknown {
  try {
    const value = call()
    if (!isThenable(value)) return [true, value]
    return Promise.resolve(value).then(
      (result) => [true, result],
      (error: unknown) => [false, error],
    )
  } catch (error) {
    return [false, error]
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false
  return typeof (value as Partial<PromiseLike<unknown>>).then === 'function'
}
