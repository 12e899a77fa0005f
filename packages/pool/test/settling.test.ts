/**
 * Every result settles: each way for a worker to end, at each moment, in each form of call.
 */
import { PoolTerminatedError, WorkerLostError } from '@mp/pool'
import { isBareRun } from 'mp-internal'
import { afterEach, describe, expect, test } from 'vitest'
import * as deaths from './fixtures/deaths.mjs'
import * as tasks from './fixtures/tasks.mjs'
import { endPools, makePool } from './make-pool.js'

afterEach(endPools)

const ALIVE = [1, 2, 3, 4, 5, 6]

/** These would end the whole program, where workers are threads. */
const SIGNALS = {
  segfault: { exitCode: -11, signal: 'SIGSEGV' },
  abort: { exitCode: -6, signal: 'SIGABRT' },
}
const ENDS = {
  kill: isBareRun ? { exitCode: 9, signal: null } : { exitCode: -9, signal: 'SIGKILL' },
  ...(isBareRun ? {} : SIGNALS),
  exit: { exitCode: 5, signal: null },
  exitWell: { exitCode: 0, signal: null },
  throwElsewhere: { exitCode: 1, signal: null },
} as const

describe.each(Object.entries(ENDS))('a worker that ends by %s', (way, how) => {
  test('rejects its own task in every form of call, and the pool goes on', async () => {
    const pool = makePool({ processes: 2, grace: 50, stdio: 'ignore' })
    const error = await pool.apply(deaths.die, [[way]]).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(WorkerLostError)
    expect(error).toMatchObject({ ...how, code: 'ERR_MP_WORKER_LOST', task: 'die()' })
    expect(() => pool.applySync(deaths.die, [[way]])).toThrow(WorkerLostError)
    await expect(pool.map(deaths.die, [...ALIVE, [way]], { chunkSize: 1 })).rejects.toThrow(
      WorkerLostError,
    )
    const settled = await pool.map(deaths.die, [1, [way], 3], { chunkSize: 1, settle: true })
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    const got: unknown[] = []
    const results = pool.imap(deaths.die, [1, [way], 3])
    for (let i = 0; i < 3; i++) {
      got.push(
        await results.next().then(
          ({ value }) => value as unknown,
          () => 'lost',
        ),
      )
    }
    expect(got).toEqual([1, 'lost', 3])
    expect(await pool.map(tasks.square, ALIVE)).toEqual(ALIVE.map((n) => n * n))
  })
})

test('a worker that ends while it sends its result rejects the task, one that ends after it does not', async () => {
  const pool = makePool(1)
  await expect(pool.apply(deaths.dieWhileSending)).rejects.toThrow(WorkerLostError)
  expect(await pool.apply(deaths.dieAfterwards)).toBe('done')
  expect(await pool.apply(tasks.square, [3], { retries: 3 })).toBe(9)
})

// By a flag of the engine, which a thread cannot have; `resourceLimits` is tested with the ends of threads.
test.skipIf(isBareRun)('a worker without memory says so', async () => {
  const pool = makePool({ processes: 1, execArgv: ['--max-old-space-size=40'], stdio: 'ignore' })
  await expect(pool.apply(deaths.hog)).rejects.toMatchObject({
    code: 'ERR_MP_WORKER_LOST',
    outOfMemory: true,
  })
  expect(await pool.apply(tasks.square, [3])).toBe(9)
})

test('a thread that exits or runs out of memory rejects its task, and the pool goes on', async () => {
  const pool = makePool({ processes: 1, startMethod: 'thread', stdio: 'ignore' })
  await expect(pool.apply(deaths.die, [['exit']])).rejects.toMatchObject({ exitCode: 5 })
  await expect(pool.apply(deaths.die, [['throwElsewhere']])).rejects.toMatchObject({ exitCode: 1 })
  expect(await pool.apply(tasks.square, [3])).toBe(9)
})

test('an error that cannot be sent keeps what of it can be', async () => {
  const pool = makePool(1)
  await expect(pool.apply(deaths.unsendableError)).rejects.toMatchObject({
    name: 'RangeError',
    message: 'too far',
    code: 'E_FAR',
  })
  await expect(pool.apply(deaths.throwNothing)).rejects.toBe(undefined)
})

test('an initializer that never ends fails the tasks', async () => {
  const pool = makePool({
    processes: 2,
    initializer: deaths.initializeForever,
    initializerTimeout: 300,
  })
  await expect(pool.apply(tasks.square, [1])).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
  await expect(pool.apply(tasks.square, [1])).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
})

test('an initializer that is killed each time fails the tasks with the reason', async () => {
  const pool = makePool({ processes: 2, initializer: tasks.killSelf })
  await expect(pool.apply(tasks.square, [1])).rejects.toMatchObject({
    code: 'ERR_MP_POOL_BROKEN',
    // A thread that dies so ends with an exit code of its own.
    message: expect.stringMatching(
      isBareRun
        ? /^3 workers in a row ended before they were ready/
        : /^10 workers in a row were killed while they ran the init.* -9$/,
    ),
  })
})

test('the timeout of a task counts also while no initializer ends', async () => {
  const pool = makePool({ processes: 1, initializer: deaths.initializeNever })
  await expect(pool.apply(tasks.square, [1], { timeout: 100 })).rejects.toMatchObject({
    code: 'ERR_MP_TIMEOUT',
  })
})

test('workers that exit on their start break the pool, with the reason', async () => {
  const pool = makePool({ processes: 2, initializer: deaths.exitOnStart })
  await expect(pool.apply(tasks.square, [1])).rejects.toMatchObject({
    code: 'ERR_MP_POOL_BROKEN',
    message: expect.stringContaining('exit code 9') as string,
  })
})

test('terminate with 10,000 queued rejects them all, also while a call blocks', async () => {
  const pool = makePool(1)
  const results = Array.from({ length: 10_000 }, () => pool.applyAsync(deaths.waitForever))
  pool.terminate()
  await pool.join({ timeout: 10_000 })
  for (const result of results) await expect(result.get()).rejects.toThrow(PoolTerminatedError)
})

test('a blocking call past its time throws', async () => {
  const pool = makePool({ processes: 1, grace: 50 })
  expect(pool.applySync(tasks.square, [2])).toBe(4)
  expect(() => pool.applySync(tasks.spin, [], { timeout: 200 })).toThrow(/more than 200 ms/)
  expect(pool.applySync(tasks.square, [3])).toBe(9)
})

test('a callback that throws rejects its own call, and the pool goes on', async () => {
  const pool = makePool(2)
  const onProgress = (): never => {
    throw new Error('from the callback')
  }
  await expect(pool.map(tasks.square, ALIVE, { onProgress })).rejects.toThrow('from the callback')
  expect(await pool.map(tasks.square, ALIVE)).toEqual(ALIVE.map((n) => n * n))
})

test.skipIf(isBareRun)(
  'while workers are killed every 20 ms, each of many tasks settles exactly once',
  async () => {
    const pool = makePool(4)
    const count = Number(process.env['POOL_STORM_TASKS'] ?? 5000)
    let settled = 0
    let settledBefore = -1
    const storm = setInterval(() => {
      // However slow the machine is, something is done between two deaths.
      if (settled === settledBefore) return
      settledBefore = settled
      const all = pool.processes
      const { pid } = all[Math.floor(Math.random() * all.length)] ?? {}
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
    }, 20)
    try {
      const results = Array.from({ length: count }, (_, n) =>
        pool.apply(tasks.square, [n], { retries: 1000 }).finally(() => settled++),
      )
      expect(await Promise.all(results)).toEqual(Array.from({ length: count }, (_, n) => n * n))
    } finally {
      clearInterval(storm)
    }
    expect(settled).toBe(count)
    expect(pool.stats().tasks).toMatchObject({ completed: count, queued: 0, running: 0 })
  },
)
