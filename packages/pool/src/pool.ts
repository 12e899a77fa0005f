/**
 * A pool of worker processes.
 *
 * @module
 */
import {
  type Lease,
  MultiprocessingError,
  type Reduced,
  type WaitOptions,
  noteLoaded,
  reduceSymbol,
  reviveSymbol,
  wrongType,
} from '@mp/shared-memory/internal'
import { HIRED, ORIGIN } from './origin.js'
import { AsyncResult } from './async-result.js'
import type { PoolLine } from './client/line.js'
import { PoolClient, type PoolHandle } from './client/pool-client.js'
import { CallSite } from './call-site.js'
import { type Items, checkItems, collect, collectSync, isIterable } from './chunks.js'
import { joinEngine } from './join.js'
import {
  type ImapCallOptions,
  type LeaseTaskOptions,
  type MapOptions,
  type PoolOptions,
  type SettleOptions,
  type TaskOptions,
  checkPoolOptions,
  checkProcesses,
} from './options.js'
import { PoolEngine } from './pool-engine.js'
import type { PoolProcess, PoolStats } from './pool-stats.js'
import { PromiseReceiver, SyncReceiver } from './receivers.js'
import type { RoomOptions } from './room.js'
import type { AnyFunction } from './submitter.js'
import type { Receiver } from './task.js'

type Result<F extends AnyFunction> = Awaited<ReturnType<F>>
type Results<R> = Awaited<R>[]
type Outcomes<R> = PromiseSettledResult<Awaited<R>>[]

/** While so many tasks wait, calls do not keep their stacks: that would be half of their memory. */
const MANY = 10_000

/**
 * Worker processes (or threads) that run the functions they are given; Python's `multiprocessing.Pool`.
 *
 * @example
 * await using pool = new Pool(4)
 * console.log(await pool.map((n: number) => n * n, [1, 2, 3])) // [ 1, 4, 9 ]
 */
export class Pool implements AsyncDisposable {
  readonly #engine: PoolEngine | PoolClient

  /**
   * Starts the workers; those of `forkserver` with the first task, or when their server has loaded its modules. What the system
   * has against it then breaks the pool.
   *
   * @param options the number of workers (left out: `cpuCount()`), or an object.
   * @throws TypeError, RangeError for an option of a wrong type or value.
   * @throws PicklingError when the initializer or its arguments cannot be sent; StartError when the system refuses the first worker.
   */
  constructor(options?: number | PoolOptions)
  /** @internal */
  constructor(options?: number | PoolOptions | PoolEngine | PoolClient)
  constructor(options?: number | PoolOptions | PoolEngine | PoolClient) {
    this.#engine =
      options instanceof PoolClient || options instanceof PoolEngine
        ? options
        : new PoolEngine(checkPoolOptions(options))
  }

  /** The workers that run now. */
  get processes(): readonly PoolProcess[] {
    return this.#engine.processes
  }

  /**
   * Runs `fn(...args)` in a worker and gives its result.
   *
   * @throws what `fn` throws; WorkerLostError when its worker dies; PicklingError when it cannot be sent.
   */
  apply<F extends AnyFunction>(
    fn: F,
    args: Parameters<F> | undefined,
    options: LeaseTaskOptions,
  ): Promise<Lease<Result<F>>>
  apply<F extends AnyFunction>(
    fn: F,
    args?: Parameters<F>,
    options?: TaskOptions,
  ): Promise<Result<F>>
  apply(fn: AnyFunction, args?: never[], options?: TaskOptions): Promise<unknown> {
    const { submitter, dispatcher } = this.#engine
    return new Promise((resolve, reject) => {
      const receiver = new PromiseReceiver(resolve, reject)
      // A signal may have aborted already.
      if (options?.signal !== undefined) receiver.site = new CallSite(this.apply)
      submitter.call(fn, args, options, receiver)
      // Finding out where it came from takes as long as all the rest; the worker is at it already.
      if (dispatcher.pending < MANY) receiver.site ??= new CallSite(this.apply)
    })
  }

  /** `apply`, blocking this thread. */
  applySync<F extends AnyFunction>(fn: F, args?: Parameters<F>, options?: TaskOptions): Result<F> {
    return this.#sync(new CallSite(this.applySync), (receiver) =>
      this.#engine.submitter.call(fn, args, options, receiver),
    )
  }

  /** `apply` without waiting: gives a result to ask later. Throws PicklingError at once. */
  applyAsync<F extends AnyFunction>(
    fn: F,
    args: Parameters<F> | undefined,
    options: LeaseTaskOptions,
  ): AsyncResult<Lease<Result<F>>>
  applyAsync<F extends AnyFunction>(
    fn: F,
    args?: Parameters<F>,
    options?: TaskOptions,
  ): AsyncResult<Result<F>>
  applyAsync(fn: AnyFunction, args?: never[], options?: TaskOptions): object {
    const result = new AsyncResult<unknown>()
    this.#engine.submitter.call(fn, args, options, result)
    return result
  }

  /**
   * Applies `fn` to each item and gives the results in the order of the items.
   *
   * Rejects with the first error; what has not started then does not start. With `settle` it gives an outcome for each
   * item instead, as `Promise.allSettled` does.
   */
  map<T, R>(fn: (item: T) => R, items: Items<T>, options: SettleOptions): Promise<Outcomes<R>>
  map<T, R>(fn: (item: T) => R, items: Items<T>, options?: MapOptions): Promise<Results<R>>
  map(fn: AnyFunction, items: Items<unknown>, options?: MapOptions): Promise<unknown[]> {
    return this.#map(new CallSite(this.map), fn, items, false, options)
  }

  /** `map`, blocking this thread. */
  mapSync<T, R>(fn: (item: T) => R, items: Iterable<T>, options: SettleOptions): Outcomes<R>
  mapSync<T, R>(fn: (item: T) => R, items: Iterable<T>, options?: MapOptions): Results<R>
  mapSync(fn: AnyFunction, items: Iterable<unknown>, options?: MapOptions): unknown[] {
    const all = collectSync(items)
    return this.#sync(new CallSite(this.mapSync), (receiver) =>
      this.#engine.submitter.map(fn, all, false, options, receiver),
    )
  }

  /** `map` without waiting. */
  mapAsync<T, R>(
    fn: (item: T) => R,
    items: Items<T>,
    options: SettleOptions,
  ): AsyncResult<Outcomes<R>>
  mapAsync<T, R>(fn: (item: T) => R, items: Items<T>, options?: MapOptions): AsyncResult<Results<R>>
  mapAsync(fn: AnyFunction, items: Items<unknown>, options?: MapOptions): object {
    return new AsyncResult(this.#map(undefined, fn, items, false, options))
  }

  /** As `map`, with each item an array of arguments: `fn(...item)`. */
  starmap<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Items<A>,
    options: SettleOptions,
  ): Promise<Outcomes<R>>
  starmap<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Items<A>,
    options?: MapOptions,
  ): Promise<Results<R>>
  starmap(
    fn: AnyFunction,
    items: Items<readonly unknown[]>,
    options?: MapOptions,
  ): Promise<unknown[]> {
    return this.#map(new CallSite(this.starmap), fn, items, true, options)
  }

  /** `starmap`, blocking this thread. */
  starmapSync<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Iterable<A>,
    options: SettleOptions,
  ): Outcomes<R>
  starmapSync<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Iterable<A>,
    options?: MapOptions,
  ): Results<R>
  starmapSync(
    fn: AnyFunction,
    items: Iterable<readonly unknown[]>,
    options?: MapOptions,
  ): unknown[] {
    const all = collectSync(items)
    return this.#sync(new CallSite(this.starmapSync), (receiver) =>
      this.#engine.submitter.map(fn, all, true, options, receiver),
    )
  }

  /** `starmap` without waiting. */
  starmapAsync<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Items<A>,
    options: SettleOptions,
  ): AsyncResult<Outcomes<R>>
  starmapAsync<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    items: Items<A>,
    options?: MapOptions,
  ): AsyncResult<Results<R>>
  starmapAsync(fn: AnyFunction, items: Items<readonly unknown[]>, options?: MapOptions): object {
    return new AsyncResult(this.#map(undefined, fn, items, true, options))
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
    return this.#engine.submitter.imap(fn, items, options, true)
  }

  /** `imap` with the results in the order in which they are ready. */
  imapUnordered<T, R>(
    fn: (item: T) => R,
    items: Items<T>,
    options?: ImapCallOptions,
  ): AsyncIterableIterator<Awaited<R>> {
    return this.#engine.submitter.imap(fn, items, options, false)
  }

  /**
   * Lets an object that many tasks get be sent once to each worker, as it is now: wherever it is an argument of `apply`,
   * an item of `map` or an argument in one of `starmap`, the worker has it already.
   *
   * All tasks of a worker get the same copy. It takes room in shared memory until the pool ends.
   *
   * @returns the same object.
   * @example
   * const table = pool.share(await load())
   * await pool.starmap(look, ['left', 'right'].map((key) => [table, key]))
   */
  share<T extends object>(value: T): T {
    this.#engine.checkOpen()
    if (typeof value !== 'object' || value === null) throw wrongType('value', 'an object', value)
    this.#engine.shared.share(value)
    return value
  }

  /**
   * Waits until fewer than `queued` tasks wait for a worker: who awaits it before each call bounds the memory that calls take.
   *
   * Where the pool is another process's, the tasks of this process count.
   *
   * @returns false when `timeout` (milliseconds) passes first.
   * @example
   * for (const line of lines) {
   *   await pool.room()
   *   results.push(pool.applyAsync(parse, [line]))
   * }
   */
  async room(options?: RoomOptions): Promise<boolean> {
    this.#engine.checkOpen()
    return this.#engine.room.wait(options)
  }

  /** `room`, blocking this thread. */
  roomSync(options?: RoomOptions): boolean {
    this.#engine.checkOpen()
    return this.#engine.room.waitSync(options)
  }

  /**
   * Changes how many workers there are. Those that are too many end after their task.
   *
   * Where the pool is another process's, that one does it as soon as its event loop gets to it.
   */
  resize(processes: number): void {
    checkProcesses(processes)
    this.#engine.checkOpen()
    this.#engine.resize(processes)
  }

  /** What the pool has done for all who use it, and how its workers are. */
  stats(): PoolStats {
    return this.#engine.stats()
  }

  /**
   * Writes which worker ran what when, to a file that Perfetto (ui.perfetto.dev) opens: the last 10,000 tasks now, and
   * when the pool ends also those from now on, a million in all at most.
   *
   * @throws MultiprocessingError `ERR_MP_POOL_CLIENT` where the pool is another process's: that one has what is to be written.
   */
  trace(path: string): void {
    if (typeof path !== 'string') throw wrongType('path', 'a string', path)
    if (this.#engine instanceof PoolEngine) return this.#engine.record.trace.write(path)
    throw new MultiprocessingError(
      'ERR_MP_POOL_CLIENT',
      'Only the process that made the pool can write its trace: call pool.trace() there',
    )
  }

  /** Takes no more tasks; the workers end when all are done. */
  close(): void {
    this.#engine.close()
  }

  /** Ends the workers at once; pending results reject with PoolTerminatedError. */
  terminate(): void {
    this.#engine.terminate()
  }

  /**
   * Waits until all workers have ended, after `close()` or `terminate()`.
   *
   * @throws MultiprocessingError `ERR_MP_POOL_RUNNING` before either; TimeoutError when `timeout` passes first.
   */
  async join(options?: WaitOptions): Promise<void> {
    return joinEngine(this.#engine, options)
  }

  /** `terminate()` and `join()`, as Python's `with` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.terminate()
    await this.join()
  }

  /** A copy of the handle makes a client of whoever gets it. @internal */
  reduceHandle(): Reduced {
    const { handle } = this.#engine
    arrived.set(handle[0], this)
    return { module: ORIGIN, name: 'Pool', args: handle }
  }

  /** What is there at once is sent at once. */
  async #map(
    site: CallSite | undefined,
    fn: AnyFunction,
    items: Items<unknown>,
    isStar: boolean,
    options: MapOptions | undefined,
  ): Promise<unknown[]> {
    checkItems(items)
    const all = isIterable(items) ? collectSync(items) : await collect(items)
    return new Promise((resolve, reject) => {
      const receiver = new PromiseReceiver(resolve, reject, site)
      this.#engine.submitter.map(fn, all, isStar, options, receiver)
    })
  }

  #sync<R>(site: CallSite, submit: (receiver: Receiver) => void): R {
    const receiver = new SyncReceiver()
    this.#engine.room.waitUnlessEndless()
    submit(receiver)
    this.#engine.dispatcher.waitSync(() => receiver.isSettled)
    return receiver.result(site) as R
  }
}

// Outside of the class because its declaration is for users.
Object.defineProperty(Pool.prototype, reduceSymbol, {
  value(this: Pool): Reduced {
    return this.reduceHandle()
  },
})

Object.defineProperty(Pool, reviveSymbol, { value: revivePool })

/** Makes a pool of what arrives: the one that is here already, or a client. */
function revivePool(...handle: PoolHandle): Pool {
  const [line] = handle
  const known = arrived.get(line)
  if (known !== undefined) return known
  const pool = new Pool(new PoolClient(handle))
  arrived.set(line, pool)
  return pool
}

/** One for each pool; the line is the same object each time it arrives. */
const arrived = new WeakMap<PoolLine, Pool>()

// A fork server loads what children import by its name, and does once what all workers do.
noteLoaded(new URL('./index.js', import.meta.url).href)
noteLoaded(ORIGIN)
noteLoaded(HIRED)
