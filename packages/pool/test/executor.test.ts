/**
 * The executor form: what Python's documentation says of `concurrent.futures`, and where we differ.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { PicklingError, dumps } from '@mp/pickle'
import {
  ALL_COMPLETED,
  CancelledError,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  Future,
  PoolBrokenError,
  PoolClosedError,
  PoolTerminatedError,
  ProcessPoolExecutor,
  WorkerLostError,
  asCompleted,
  waitFutures,
} from '@mp/pool'
import { type StartMethod, getContext } from '@mp/process'
import { SimpleQueue } from '@mp/queue'
import { Event } from '@mp/sync'
import { ways } from 'mp-internal'
import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest'
import * as control from './fixtures/control.mjs'
import * as deaths from './fixtures/deaths.mjs'
import * as tasks from './fixtures/tasks.mjs'
import { endPools, makeExecutor } from './make-pool.js'

afterEach(endPools)

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const got = []
  for await (const item of items) got.push(item)
  return got
}

/** One call that runs until the gate is open, and two behind it. */
async function block(executor: ProcessPoolExecutor) {
  const gate = new Event()
  const begun = new Event()
  const running = executor.submit(tasks.beginAndPass, begun, gate, 1)
  const queued = [executor.submit(tasks.square, 2), executor.submit(tasks.square, 3)] as const
  await begun.wait()
  return { gate, running, queued }
}

describe.each(ways<StartMethod>('spawn', 'thread'))('an executor of %s workers', (startMethod) => {
  test('submits, maps and shuts down', async () => {
    const executor = makeExecutor({ maxWorkers: 2, startMethod })
    const future = executor.submit(tasks.add, 1, 2)
    expect(future).toBeInstanceOf(Future)
    expect(await future.result()).toBe(3)
    expect(await future).toBe(3)
    expect(await future.exception()).toBe(null)
    expect([future.done(), future.running(), future.cancelled()]).toEqual([true, false, false])
    expect(await executor.submit(tasks.squareLater, 4).result()).toBe(16)
    expect(await all(executor.map(tasks.square, numbers(20)))).toEqual(
      numbers(20).map((n) => n * n),
    )
    const failed = executor.submit(tasks.evenOnly, 3)
    expect(await failed.exception()).toBeInstanceOf(tasks.OddError)
    await expect(failed.result()).rejects.toThrow('3 is odd')
    const last = numbers(10).map((n) => executor.submit(tasks.square, n))
    await executor.shutdown()
    expect(last.every((one) => one.done())).toBe(true)
    expect(executor.pool.processes).toEqual([])
    expect(() => executor.submit(tasks.square, 1)).toThrow(PoolClosedError)
    expect(() => executor.map(tasks.square, [1])).toThrow(PoolClosedError)
    await executor.shutdown()
  })

  test('cancels what has not started, and only that', async () => {
    const executor = makeExecutor({ maxWorkers: 1, startMethod })
    const { gate, running, queued } = await block(executor)
    expect([running.running(), running.done(), running.cancel()]).toEqual([true, false, false])
    expect(queued.map((future) => future.running())).toEqual([false, false])
    expect(queued[0].cancel()).toBe(true)
    expect([queued[0].cancelled(), queued[0].done(), queued[0].running()]).toEqual([
      true,
      true,
      false,
    ])
    expect(queued[0].cancel()).toBe(true)
    await expect(queued[0].result()).rejects.toThrow(CancelledError)
    await expect(queued[0].exception()).rejects.toMatchObject({ code: 'ERR_MP_CANCELLED' })
    gate.set()
    expect(await Promise.all([running, queued[1]])).toEqual([1, 9])
    expect([running.cancel(), running.cancelled()]).toEqual([false, false])
  })

  test('loses one call with a worker that dies, and goes on', async () => {
    const executor = makeExecutor({ maxWorkers: 2, startMethod, stdio: 'ignore' })
    const lost = executor.submit(deaths.die, ['exit'])
    const others = numbers(20).map((n) => executor.submit(tasks.square, n))
    expect(await lost.exception()).toBeInstanceOf(WorkerLostError)
    expect([lost.cancelled(), lost.cancel()]).toEqual([false, false])
    expect(await Promise.all(others)).toEqual(numbers(20).map((n) => n * n))
    expect(await executor.submit(tasks.square, 5).result()).toBe(25)
  })
})

test('calls that wait in the program, not yet in shared memory, can be cancelled as well', async () => {
  const executor = makeExecutor(1)
  const { gate, running } = await block(executor)
  const many = numbers(3000).map((n) => executor.submit(tasks.square, n))
  expect(many.filter((_, n) => n % 2 === 0).every((future) => future.cancel())).toBe(true)
  gate.set()
  await waitFutures(many)
  expect(many.map((future) => (future.cancelled() ? -1 : future.resultSync()))).toEqual(
    numbers(3000).map((n) => (n % 2 === 0 ? -1 : n * n)),
  )
  expect(await running).toBe(1)
})

test('a wait for a result can end before it', async () => {
  const executor = makeExecutor(1)
  const { gate, running } = await block(executor)
  await expect(running.result({ timeout: 20 })).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
  await expect(running.result({ timeout: 0 })).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
  await expect(running.exception({ timeout: 20 })).rejects.toThrow(/within 20 ms/)
  expect(() => running.resultSync({ timeout: 20 })).toThrow(/within 20 ms/)
  expect(() => running.exceptionSync({ timeout: 0 })).toThrow(/within 0 ms/)
  const signal = AbortSignal.abort(new Error('not needed'))
  await expect(running.result({ signal })).rejects.toThrow('not needed')
  const controller = new AbortController()
  const waiting = running.result({ signal: controller.signal })
  controller.abort(new Error('too long'))
  await expect(waiting).rejects.toThrow('too long')
  gate.set()
  expect(running.resultSync()).toBe(1)
  expect(running.exceptionSync()).toBe(null)
  expect(executor.submit(tasks.evenOnly, 5).exceptionSync()).toBeInstanceOf(tasks.OddError)
  expect(() => executor.submit(tasks.evenOnly, 5).resultSync()).toThrow('5 is odd')
})

test('an error has the stack of the worker and of whoever asks for the result', async () => {
  const future = makeExecutor(1).submit(tasks.evenOnly, 3)
  const askForIt = (): Promise<unknown> => future.result()
  const error = (await askForIt().catch((reason: unknown) => reason)) as Error
  expect(error.stack).toMatch(/at evenOnly .*tasks\.mjs[^]*at askForIt .*executor\.test\.ts/)
})

test('a function that throws a CancelledError was not cancelled', async () => {
  const future = makeExecutor(1).submit(tasks.throwCancelled)
  expect(await future.exception()).toBeInstanceOf(CancelledError)
  expect(future.cancelled()).toBe(false)
})

describe('callbacks of a future', () => {
  test('are called in the order in which they were added, with the future, when it is done', async () => {
    const executor = makeExecutor(1)
    const { gate, running, queued } = await block(executor)
    const told: unknown[] = []
    const storage = new AsyncLocalStorage<string>()
    running.addDoneCallback((future) => told.push(future === running, future.done()))
    storage.run('here', () => running.addDoneCallback(() => told.push(storage.getStore())))
    gate.set()
    await running
    expect(told).toEqual([true, true, 'here'])
    running.addDoneCallback(() => told.push('at once'))
    expect(told.at(-1)).toBe('at once')
    const cancelled = executor.submit(tasks.square, 1)
    cancelled.addDoneCallback((future) => told.push(future.cancelled()))
    if (cancelled.cancel()) expect(told.at(-1)).toBe(true)
    const failing = executor.submit(tasks.evenOnly, 1)
    failing.addDoneCallback((future) => told.push(future.exceptionSync()))
    await failing.exception()
    expect(told.at(-1)).toBeInstanceOf(tasks.OddError)
    await Promise.all(queued)
    expect(() => running.addDoneCallback(1 as never)).toThrow(/Expected `fn`/)
  })

  test('that throw are reported and disturb nobody', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    try {
      const executor = makeExecutor(1)
      const future = executor.submit(tasks.square, 2)
      let called = 0
      future.addDoneCallback(() => {
        throw new Error('from the callback')
      })
      future.addDoneCallback(async () => {
        throw new Error('from the promise')
      })
      future.addDoneCallback(() => called++)
      expect(await future.result()).toBe(4)
      expect(called).toBe(1)
      expect(await executor.submit(tasks.square, 3).result()).toBe(9)
      await vi.waitUntil(() => warnings.length === 2, 5000)
      expect(warnings[0]?.message).toContain('from the callback')
      expect(warnings[1]?.message).toContain('from the promise')
      expect(warnings[0]).toMatchObject({ code: 'MP_FUTURE_CALLBACK' })
    } finally {
      process.off('warning', onWarning)
    }
  })

  test('may submit more', async () => {
    const executor = makeExecutor(1)
    const results: Future<number>[] = []
    const again = (future: Future<number>): void => {
      if (results.length < 5) submit(future.resultSync() + 1)
    }
    const submit = (n: number): void => {
      const future = executor.submit(tasks.identity as (n: number) => number, n)
      results.push(future)
      future.addDoneCallback(again)
    }
    submit(1)
    await vi.waitUntil(() => results.length === 5 && results[4]?.done(), 10_000)
    expect(results.map((future) => future.resultSync())).toEqual([1, 2, 3, 4, 5])
  })
})

describe('map', () => {
  test('takes one iterable for each parameter, as far as the shortest goes', async () => {
    const executor = makeExecutor(2)
    expect(await all(executor.map(tasks.add, [1, 2, 3], new Set([10, 20])))).toEqual([11, 22])
    expect(await all(executor.map(tasks.concat, 'abc', later(['x', 'y', 'z'])))).toEqual([
      'ax',
      'by',
      'cz',
    ])
    expect(await all(executor.map(tasks.square, []))).toEqual([])
    expect(await all(executor.map(tasks.square, numbers(10), { chunkSize: 3 }))).toEqual(
      numbers(10).map((n) => n * n),
    )
    const pairs = numbers(4)[Symbol.iterator]()
    expect(await all(executor.map(tasks.add, pairs, pairs))).toEqual([1, 5])
    expect(() => executor.map(tasks.square as never)).toThrow(/iterables/)
    expect(() => executor.map(tasks.square, 1 as never)).toThrow(/items/)
    expect(() => executor.map(tasks.square, [1], { chunkSize: 0 })).toThrow(/chunkSize/)
    expect(() => executor.map(tasks.square, [1], { bufferSize: 0 })).toThrow(/bufferSize/)
  })

  test('submits all calls at once, whether or not somebody asks for results', async () => {
    const executor = makeExecutor(1)
    const ran = new SimpleQueue<number>()
    let read = 0
    function* input(): Generator<number> {
      while (read < 5) yield read++
    }
    executor.map(tasks.appendTo, Array.from<typeof ran>({ length: 5 }).fill(ran), input())
    expect(read).toBe(5)
    await executor.shutdown()
    expect(await ran.getMany(5)).toEqual(numbers(5))
  })

  test('submits no more than bufferSize ahead, and stops reading when its consumer leaves', async () => {
    const executor = makeExecutor(2)
    let read = 0
    let closed = 0
    function* input(): Generator<number> {
      try {
        for (;;) yield read++
      } finally {
        closed++
      }
    }
    let taken = 0
    const results = executor.map(tasks.square, input(), { bufferSize: 4 })
    expect(read).toBe(4)
    for await (const n of results) {
      expect(n).toBe(taken * taken)
      expect(read).toBeLessThanOrEqual(++taken + 4)
      if (taken === 20) break
    }
    expect(closed).toBe(1)
    expect((await results.next()).done).toBe(true)
  })

  test('ends with the first error, and what has not started does not start', async () => {
    const executor = makeExecutor(1)
    const results = executor.map(tasks.evenOnly, [0, 1, ...numbers(2000).fill(2)])
    expect(await results.next()).toEqual({ done: false, value: 0 })
    await expect(results.next()).rejects.toThrow('1 is odd')
    expect((await results.next()).done).toBe(true)
    expect(executor.pool.stats().tasks.completed).toBeLessThan(2000)
    expect(await executor.submit(tasks.square, 2).result()).toBe(4)
  })

  test('has a timeout for all its results, from the call on', async () => {
    const executor = makeExecutor(1)
    const { gate } = await block(executor)
    const results = executor.map(tasks.square, [1, 2], { timeout: 30 })
    await expect(results.next()).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
    expect((await results.next()).done).toBe(true)
    gate.set()
    expect(await all(executor.map(tasks.square, [1, 2], { timeout: 20_000 }))).toEqual([1, 4])
  })
})

describe('waiting for several futures', () => {
  test('ends with the first, the first error, or all', async () => {
    const executor = makeExecutor(1)
    const { gate, running, queued } = await block(executor)
    const everyone = [running, ...queued]
    expect(await waitFutures(everyone, { timeout: 20 })).toEqual({
      done: new Set(),
      notDone: new Set(everyone),
    })
    queued[1].cancel()
    // One that was cancelled is done, and has not failed.
    const first = await waitFutures(everyone, { returnWhen: FIRST_COMPLETED })
    expect([...first.done]).toEqual([queued[1]])
    const failing = executor.submit(tasks.evenOnly, 1)
    const afterwards = executor.submit(tasks.beginAndPass, new Event(), new Event(), 0)
    const waiting = waitFutures([...everyone, failing, afterwards], {
      returnWhen: FIRST_EXCEPTION,
    })
    gate.set()
    const { done, notDone } = await waiting
    expect(done.has(failing)).toBe(true)
    expect([...notDone]).toEqual([afterwards])
    expect((await waitFutures(everyone, { returnWhen: ALL_COMPLETED })).notDone.size).toBe(0)
    expect((await waitFutures(everyone, { returnWhen: FIRST_EXCEPTION })).done.size).toBe(3)
    expect((await waitFutures([])).done.size).toBe(0)
    await expect(
      waitFutures([afterwards], { signal: AbortSignal.abort(new Error('no')) }),
    ).rejects.toThrow('no')
    await expect(waitFutures([1] as never)).rejects.toThrow(/Futures/)
    await expect(waitFutures([], { returnWhen: 'SOON' as never })).rejects.toThrow(/returnWhen/)
  })

  test('of several executors, each comes once, in the order of their ends', async () => {
    const [one, other] = [makeExecutor(1), makeExecutor(1)]
    const done = one.submit(tasks.square, 1)
    await done
    const { gate, running } = await block(other)
    const failing = one.submit(tasks.evenOnly, 3)
    await failing.exception()
    const seen: Future<unknown>[] = []
    for await (const future of asCompleted([running, failing, done, running])) {
      seen.push(future)
      gate.set()
    }
    expect(seen).toEqual([failing, done, running])
    expect(await all(asCompleted([]))).toEqual([])
  })

  test('gives up when the next is not done in time', async () => {
    const executor = makeExecutor(1)
    const { gate, running, queued } = await block(executor)
    queued[0].cancel()
    const completed = asCompleted([running, queued[0]], { timeout: 20 })
    expect((await completed.next()).value).toBe(queued[0])
    await expect(completed.next()).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
    expect((await completed.next()).done).toBe(true)
    const controller = new AbortController()
    const { signal } = controller
    const next = asCompleted([running], { signal }).next()
    controller.abort(new Error('not needed'))
    await expect(next).rejects.toThrow('not needed')
    await expect(asCompleted([running], { timeout: 0 }).next()).rejects.toThrow(/0 ms/)
    gate.set()
    expect(await running).toBe(1)
  })
})

describe('the end of an executor', () => {
  test('can cancel what has not started', async () => {
    const executor = makeExecutor(1)
    const { gate, running, queued } = await block(executor)
    const mapped = executor.map(tasks.square, numbers(5))
    const ending = executor.shutdown({ cancelFutures: true })
    expect(queued.map((future) => future.cancelled())).toEqual([true, true])
    expect(running.done()).toBe(false)
    await expect(mapped.next()).rejects.toThrow(CancelledError)
    gate.set()
    await ending
    expect(await running).toBe(1)
  })

  test('can be waited for, or not', async () => {
    const executor = makeExecutor(1)
    const { gate, running, queued } = await block(executor)
    await executor.shutdown({ wait: false })
    expect(running.done()).toBe(false)
    gate.set()
    await executor.shutdown()
    expect(await Promise.all([running, ...queued])).toEqual([1, 4, 9])
    await expect(executor.shutdown({ wait: 1 as never })).rejects.toThrow(/wait/)
  })

  test('comes with the end of its block, after all calls', async () => {
    const executor = makeExecutor(1)
    const { gate, running, queued } = await block(executor)
    gate.set()
    await executor[Symbol.asyncDispose]()
    expect([running, ...queued].every((future) => future.done())).toBe(true)
  })

  test('can be at once', async () => {
    const executor = makeExecutor(1)
    const { running, queued } = await block(executor)
    executor.terminateWorkers()
    for (const future of [running, ...queued]) {
      await expect(future.result()).rejects.toThrow(PoolTerminatedError)
    }
    await executor.shutdown()
  })

  test('is not that of its program, which waits for all calls', async () => {
    const program = fileURLToPath(new URL('fixtures/never-shut-down.mjs', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 20_000 })
    expect(stdout).toBe('done 5\n')
  })
})

test('an initializer runs in each worker; one that fails fails the calls', async () => {
  const executor = makeExecutor({
    maxWorkers: 1,
    initializer: tasks.initialise,
    initArgs: ['set up'],
  })
  expect(await executor.submit(tasks.getInitialised).result()).toBe('set up')
  const failing = makeExecutor({ maxWorkers: 1, initializer: tasks.failToInitialise })
  expect(await failing.submit(tasks.square, 1).exception()).toBeInstanceOf(tasks.OddError)
  expect(() => failing.submit(tasks.square, 1)).toThrow('1 is odd')
  const dying = makeExecutor({ maxWorkers: 1, initializer: tasks.dieOnStart })
  expect(await dying.submit(tasks.square, 1).exception()).toBeInstanceOf(PoolBrokenError)
  await dying.shutdown()
})

test('options are those of a pool, with the names of Python', async () => {
  const executor = makeExecutor({
    maxWorkers: 1,
    mpContext: getContext('thread'),
    maxTasksPerChild: 2,
  })
  const seen = new Set<string>()
  for (let i = 0; i < 5; i++) {
    expect(await executor.submit(control.pid).result()).toBe(process.pid)
    for (const { name } of executor.pool.processes) seen.add(name)
  }
  expect(seen.size).toBeGreaterThan(1)
  expect(() => new ProcessPoolExecutor(0)).toThrow(/`processes`.*`0`/)
  expect(() => new ProcessPoolExecutor({ maxWorkers: 0 })).toThrow(/`maxWorkers`.*`0`/)
  expect(() => new ProcessPoolExecutor({ mpContext: 'thread' as never })).toThrow(/mpContext/)
})

test('what cannot be sent throws at the call, and so does sending the executor', () => {
  const executor = makeExecutor(1)
  expect(() => executor.submit(tasks.identity, new WeakMap())).toThrow(PicklingError)
  expect(() => executor.submit(1 as unknown as () => void)).toThrow(/Expected `fn`/)
  expect(() => dumps(executor)).toThrow(/send its `pool`/)
})

test('calls and results are typed by the function', () => {
  // What counts here is that this compiles, and that each `@ts-expect-error` has an error.
  const check = (executor: ProcessPoolExecutor): void => {
    const length = (text: string): number => text.length
    const soon = async (n: number): Promise<string> => String(n)
    const both = (n: number, text: string): boolean => n > text.length
    expectTypeOf(executor.submit(length, 'x')).toEqualTypeOf<Future<number>>()
    expectTypeOf(executor.submit(soon, 1).result()).toEqualTypeOf<Promise<string>>()
    expectTypeOf(executor.submit(both, 1, 'x').resultSync()).toEqualTypeOf<boolean>()
    expectTypeOf(executor.map(soon, [1])).toEqualTypeOf<AsyncIterableIterator<string, undefined>>()
    expectTypeOf(executor.map(both, [1], ['x'])).toEqualTypeOf<
      AsyncIterableIterator<boolean, undefined>
    >()
    expectTypeOf(executor.map(both, later([1]), 'xyz', { chunkSize: 2 })).toEqualTypeOf<
      AsyncIterableIterator<boolean, undefined>
    >()
    expectTypeOf(executor.map((a: number, b: number) => [a, b], [1], [2])).toEqualTypeOf<
      AsyncIterableIterator<number[], undefined>
    >()
    const futures = [executor.submit(length, 'x')]
    expectTypeOf(waitFutures(futures)).resolves.toEqualTypeOf<{
      readonly done: Set<Future<number>>
      readonly notDone: Set<Future<number>>
    }>()
    void (async () => {
      for await (const future of asCompleted(futures)) {
        expectTypeOf(future).toExtend<Future<number>>()
        expectTypeOf(future.result()).toEqualTypeOf<Promise<number>>()
        new Map([[futures[0], 'a name']]).get(future)
      }
    })
    // @ts-expect-error a string is wanted
    void executor.submit(length, 1)
    // @ts-expect-error an argument is missing
    void executor.submit(both, 1)
    // @ts-expect-error strings are wanted
    executor.map(length, [1])
    // @ts-expect-error an iterable is missing
    executor.map(both, [1])
  }
  expect(check).toBeTypeOf('function')
})

async function* later<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) {
    await new Promise((resolve) => setImmediate(resolve))
    yield item
  }
}
