/**
 * Python's `concurrent.futures.ProcessPoolExecutor`: another form of call for a pool.
 *
 * @module
 */
import { type Reduced, reduceSymbol, wrongType } from '@mp/shared-memory/internal'
import { PicklingError } from '@mp/pickle'
import { type Items, checkItems, isIterable } from '../chunks.js'
import { PoolEngine } from '../pool-engine.js'
import { Pool } from '../pool.js'
import type { AnyFunction } from '../submitter.js'
import { makeCancellation } from './cancelled-error.js'
import { Future, type FuturePool } from './future.js'
import { MapResults } from './map-results.js'
import {
  type ExecutorMapOptions,
  type ExecutorOptions,
  type ExecutorShutdownOptions,
  checkExecutorOptions,
  checkShutdown,
} from './options.js'
import { zip } from './zip.js'

/** One iterable for each parameter. */
type Columns<A extends readonly unknown[]> = { [K in keyof A]: Items<A[K]> }

/**
 * Worker processes (or threads) that run the calls they are given, each with a `Future` of its result.
 *
 * A worker that dies costs the one call that it ran, whose future fails with WorkerLostError; in Python all pending calls fail with
 * `BrokenProcessPool`, and the executor is of no use any more.
 *
 * @example
 * await using executor = new ProcessPoolExecutor(4)
 * const future = executor.submit((a: number, b: number) => a ** b, 2, 10)
 * console.log(await future.result()) // 1024
 */
export class ProcessPoolExecutor implements AsyncDisposable {
  /** The pool behind it, for what an executor has no name for: `stats()`, `resize()`, a call with a `timeout`. */
  readonly pool: Pool
  readonly #engine: PoolEngine
  readonly #calls: FuturePool

  /**
   * Starts the workers.
   *
   * @param options the number of workers (left out: `cpuCount()`), or an object.
   * @throws TypeError, RangeError for an option of a wrong type or value.
   * @throws PicklingError when the initializer or its arguments cannot be sent; StartError when the system refuses the first worker.
   */
  constructor(options?: number | ExecutorOptions) {
    const engine = new PoolEngine(checkExecutorOptions(options))
    const { core, dispatcher } = engine
    this.#engine = engine
    this.pool = new Pool(engine)
    this.#calls = {
      withdraw: (task, error) => dispatcher.withdraw(task, error),
      isRunning: ({ isSettled, number }) => !isSettled && number >= 0 && !core.isQueued(number),
      waitSync: (isSettled) => dispatcher.waitSync(isSettled),
    }
  }

  /**
   * Has a worker run `fn(...args)`.
   *
   * @throws PicklingError when it cannot be sent; PoolClosedError after `shutdown()`.
   */
  submit<F extends AnyFunction>(fn: F, ...args: Parameters<F>): Future<Awaited<ReturnType<F>>> {
    const future = new Future<Awaited<ReturnType<F>>>(this.#calls)
    future.follow(this.#engine.submitter.call(fn, args, undefined, future))
    return future
  }

  /**
   * Has workers call `fn` with an item of each iterable, as far as the shortest goes, and gives the results in this order.
   *
   * All calls are submitted at once, whether or not somebody asks for results; with `bufferSize` no more than that at a
   * time. The options come last. The first error ends it: what has not started then does not start, as when its consumer
   * leaves early.
   *
   * @example
   * for await (const sum of executor.map((a: number, b: number) => a + b, [1, 2], [3, 4])) console.log(sum)
   */
  map<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    ...iterables: Columns<A>
  ): AsyncIterableIterator<Awaited<R>, undefined>
  map<A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    ...iterablesAndOptions: [...Columns<A>, ExecutorMapOptions]
  ): AsyncIterableIterator<Awaited<R>, undefined>
  map(fn: AnyFunction, ...rest: unknown[]): AsyncIterableIterator<unknown, undefined> {
    const options = isOptions(rest.at(-1)) ? (rest.pop() as ExecutorMapOptions) : undefined
    if (rest.length === 0) throw wrongType('iterables', 'one iterable or more', rest)
    for (const items of rest) checkItems(items)
    return MapResults.start(this.#engine.submitter, fn, zip(rest as Items<unknown>[]), options)
  }

  /**
   * Takes no more calls; the workers end when all are done. May be called again.
   *
   * @returns a promise that waits for that, unless `wait` is false. The process goes on until all calls are done either way.
   */
  async shutdown(options?: ExecutorShutdownOptions): Promise<void> {
    const { wait, cancelFutures } = checkShutdown(options)
    this.pool.close()
    if (cancelFutures) this.#engine.dispatcher.withdrawAll(makeCancellation())
    if (wait) await this.pool.join()
  }

  /** Ends the workers at once; calls that are not done fail with PoolTerminatedError. */
  terminateWorkers(): void {
    this.pool.terminate()
  }

  /** `shutdown()`, as Python's `with` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }
}

// Outside of the class because its declaration is for users.
Object.defineProperty(ProcessPoolExecutor.prototype, reduceSymbol, {
  value(): Reduced {
    throw new PicklingError(
      'cannot send a ProcessPoolExecutor; send its `pool`, which is of use in other processes too',
      '',
    )
  },
})

function isOptions(last: unknown): boolean {
  if (typeof last !== 'object' || last === null) return false
  return !isIterable(last) && !(Symbol.asyncIterator in last)
}
