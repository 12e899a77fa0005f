/**
 * A pool of worker processes.
 *
 * @module
 */
import {
  MultiprocessingError,
  TimeoutError,
  type WaitOptions,
  checkWaitOptions,
  throwIfAborted,
  wrongType,
} from '@mp/shared-memory/internal'
import { AsyncResult } from './async-result.js'
import { type Items, checkItems, collect, collectSync } from './chunks.js'
import { Crew } from './crew.js'
import { Dispatcher } from './dispatcher.js'
import { PoolClosedError, PoolTerminatedError } from './errors.js'
import { SentFunctions } from './functions.js'
import { MODE } from './messages.js'
import {
  type CheckedPoolOptions,
  type ImapCallOptions,
  type MapOptions,
  type PoolOptions,
  checkPoolOptions,
} from './options.js'
import { PoolCore } from './pool-core.js'
import { Submitter } from './submitter.js'
import type { Outcome, TaskOptions } from './task.js'

type AnyFunction = (...args: never[]) => unknown
type Result<F extends AnyFunction> = Awaited<ReturnType<F>>
type Settle = (outcome: Outcome) => void

/** What a pool tells of a worker. */
export interface PoolProcess {
  readonly pid: number | undefined
  readonly name: string
  readonly exitCode: number | null
}

/**
 * Worker processes (or threads) that run the functions they are given; Python's `multiprocessing.Pool`.
 *
 * @example
 * await using pool = new Pool(4)
 * console.log(await pool.map((n: number) => n * n, [1, 2, 3])) // [ 1, 4, 9 ]
 */
export class Pool implements AsyncDisposable {
  readonly #options: CheckedPoolOptions
  readonly #core: PoolCore
  readonly #crew: Crew
  readonly #dispatcher: Dispatcher
  readonly #functions: SentFunctions
  readonly #submitter: Submitter
  readonly #ends: Promise<void>
  #allEnded: () => void = () => {}
  #state: 'open' | 'closed' | 'terminated' = 'open'
  #broken: { error: unknown } | undefined
  #ended = false

  /**
   * Starts the workers.
   *
   * @param options the number of workers (left out: `cpuCount()`), or an object.
   * @throws PicklingError when the initializer or its arguments cannot be sent.
   */
  constructor(options?: number | PoolOptions) {
    this.#options = checkPoolOptions(options)
    const { processes, name, startMethod, initializer, initArgs, maxTasks, maxMemory } =
      this.#options
    this.#core = new PoolCore()
    this.#functions = new SentFunctions(this.#core.session)
    this.#ends = new Promise((resolve) => (this.#allEnded = resolve))
    this.#dispatcher = new Dispatcher(this.#core, () => this.#crew, {
      initializerFailed: (error) => this.#break(error),
      idle: () => this.#finish(),
    })
    const setup = { initializer, initArgs, maxTasks, maxMemory }
    this.#crew = new Crew(
      this.#core,
      { size: processes, name, startMethod, setup },
      {
        ended: (worker, exitCode) => {
          this.#dispatcher.workerEnded(worker, exitCode)
          this.#checkEnd()
        },
        broken: (error) => this.#break(error),
      },
    )
    this.#submitter = new Submitter({
      processes,
      dispatcher: this.#dispatcher,
      functions: this.#functions,
      checkOpen: () => this.#checkOpen(),
    })
    this.#crew.startAll()
  }

  /** The workers that run now. */
  get processes(): readonly PoolProcess[] {
    return this.#crew.workers
      .filter((worker) => worker !== undefined)
      .map(({ process }) => ({ pid: process.pid, name: process.name, exitCode: process.exitCode }))
  }

  /**
   * Runs `fn(...args)` in a worker and gives its result.
   *
   * @throws what `fn` throws; WorkerLostError when its worker dies; PicklingError when it cannot be sent.
   */
  apply<F extends AnyFunction>(
    fn: F,
    args?: Parameters<F>,
    options?: TaskOptions,
  ): Promise<Result<F>> {
    return this.#promise((settle) => this.#submitter.call(fn, args, options, settle))
  }

  /** `apply`, blocking this thread. */
  applySync<F extends AnyFunction>(fn: F, args?: Parameters<F>, options?: TaskOptions): Result<F> {
    return this.#sync((settle) => this.#submitter.call(fn, args, options, settle))
  }

  /** `apply` without waiting: gives a result to ask later. Throws PicklingError at once. */
  applyAsync<F extends AnyFunction>(
    fn: F,
    args?: Parameters<F>,
    options?: TaskOptions,
  ): AsyncResult<Result<F>> {
    return this.#asyncResult((settle) => this.#submitter.call(fn, args, options, settle))
  }

  /**
   * Applies `fn` to each item and gives the results in the order of the items.
   *
   * Rejects with the first error; what has not started then does not start.
   */
  async map<T, R>(
    fn: (item: T) => R,
    items: Items<T>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]> {
    checkItems(items)
    const all = await collect(items)
    return this.#promise((settle) => this.#submitter.map(MODE.map, fn, all, options, settle))
  }

  /** `map`, blocking this thread. */
  mapSync<T, R>(fn: (item: T) => R, items: Iterable<T>, options?: MapOptions): Awaited<R>[] {
    const all = collectSync(items)
    return this.#sync((settle) => this.#submitter.map(MODE.map, fn, all, options, settle))
  }

  /** `map` without waiting. */
  mapAsync<T, R>(
    fn: (item: T) => R,
    items: Items<T>,
    options?: MapOptions,
  ): AsyncResult<Awaited<R>[]> {
    return new AsyncResult(this.map(fn, items, options))
  }

  /** As `map`, with each item an array of arguments: `fn(...item)`. */
  async starmap<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Items<A>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]> {
    checkItems(items)
    const all = await collect(items)
    for (const item of all) {
      if (!Array.isArray(item)) throw wrongType('items', 'arrays of arguments', item)
    }
    return this.#promise((settle) => this.#submitter.map(MODE.starmap, fn, all, options, settle))
  }

  /** `starmap` without waiting. */
  starmapAsync<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Items<A>,
    options?: MapOptions,
  ): AsyncResult<Awaited<R>[]> {
    return new AsyncResult(this.starmap(fn, items, options))
  }

  /**
   * Applies `fn` to each item and gives the results one by one, in the order of the items.
   *
   * The input is read no further than `buffer` items ahead. An item's error rejects its own `next()`.
   */
  imap<T, R>(
    fn: (item: T) => R,
    items: Items<T>,
    options?: ImapCallOptions,
  ): AsyncIterableIterator<Awaited<R>> {
    return this.#submitter.imap(fn, items, options, true)
  }

  /** `imap` with the results in the order in which they are ready. */
  imapUnordered<T, R>(
    fn: (item: T) => R,
    items: Items<T>,
    options?: ImapCallOptions,
  ): AsyncIterableIterator<Awaited<R>> {
    return this.#submitter.imap(fn, items, options, false)
  }

  /** Takes no more tasks; the workers end when all are done. */
  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    if (this.#dispatcher.pending === 0) this.#finish()
  }

  /** Ends the workers at once; pending results reject with PoolTerminatedError. */
  terminate(): void {
    if (this.#state === 'terminated') return
    this.#state = 'terminated'
    this.#stopWorkers()
    this.#dispatcher.rejectAll(new PoolTerminatedError())
    this.#checkEnd()
  }

  /**
   * Waits until all workers have ended, after `close()` or `terminate()`.
   *
   * @throws MultiprocessingError `ERR_MP_POOL_RUNNING` before either; TimeoutError when `timeout` passes first.
   */
  async join(options?: WaitOptions): Promise<void> {
    const timeoutMs = checkWaitOptions(options)
    throwIfAborted(options)
    if (this.#state === 'open') {
      throw new MultiprocessingError(
        'ERR_MP_POOL_RUNNING',
        'The pool runs still: call close() or terminate() first',
      )
    }
    // Daemons do not keep this process alive, but who joins them waits for them.
    const keepAlive = setInterval(() => this.#crew.checkAll(), 1000)
    try {
      const end = new AsyncResult(this.#ends)
      if (!(await end.wait({ timeout: timeoutMs, signal: options?.signal }))) {
        throw new TimeoutError(`The workers have not ended within ${timeoutMs} ms`)
      }
    } finally {
      clearInterval(keepAlive)
    }
  }

  /** `terminate()` and `join()`, as Python's `with` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate()
    await this.join()
  }

  #promise<R>(submit: (settle: Settle) => void): Promise<R> {
    return new Promise((resolve, reject) => {
      submit((outcome) => (outcome.ok ? resolve(outcome.value as R) : reject(outcome.error)))
    })
  }

  /** What is wrong with the call itself is thrown at once. */
  #asyncResult<R>(submit: (settle: Settle) => void): AsyncResult<R> {
    let settle: Settle = () => {}
    const promise = this.#promise<R>((given) => (settle = given))
    submit((outcome) => settle(outcome))
    return new AsyncResult(promise)
  }

  #sync<R>(submit: (settle: Settle) => void): R {
    let outcome: Outcome | undefined
    submit((settled) => (outcome = settled))
    this.#dispatcher.waitSync(() => outcome !== undefined)
    const { ok, ...rest } = outcome as unknown as Outcome & { value?: unknown; error?: unknown }
    if (!ok) throw rest.error
    return rest.value as R
  }

  #checkOpen(): void {
    if (this.#broken !== undefined) throw this.#broken.error
    if (this.#state !== 'open') throw new PoolClosedError()
  }

  /** Workers cannot work: no task ever will. */
  #break(error: unknown): void {
    this.#broken ??= { error }
    this.#stopWorkers()
    this.#dispatcher.rejectAll(this.#broken.error)
    this.#checkEnd()
  }

  #stopWorkers(): void {
    if (this.#ended) return
    this.#crew.stopReplacing()
    this.#core.tasks.close()
    for (const worker of this.#crew.workers) if (worker !== undefined) this.#crew.stop(worker)
  }

  /** The last task is settled: a closed pool's workers may go. */
  #finish(): void {
    if (this.#state !== 'closed' || this.#ended) return
    this.#crew.stopReplacing()
    this.#core.tasks.close()
    this.#checkEnd()
  }

  #checkEnd(): void {
    // Later: the dispatcher may be in the middle of a look at what ends with it.
    queueMicrotask(() => {
      if (this.#state === 'open' || this.#ended || this.#crew.alive > 0) return
      this.#ended = true
      this.#functions.clear()
      this.#core.close()
      this.#allEnded()
    })
  }
}
