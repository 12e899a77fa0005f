/**
 * What a program can decide about its tasks and workers while they run.
 */
import { type Pool, currentTask } from '@mp/pool'
import type { StartMethod } from '@mp/process'
import { SimpleQueue } from '@mp/queue'
import { Event } from '@mp/sync'
import { isBareRun, ways } from 'mp-internal'
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as control from './fixtures/control.mjs'
import * as tasks from './fixtures/tasks.mjs'
import { endPools, makePool } from './make-pool.js'

afterEach(endPools)

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const pids = (pool: Pool): (number | undefined)[] => pool.processes.map(({ pid }) => pid)

describe.each(ways<StartMethod>('spawn', 'thread'))(
  'a running task of a %s worker',
  (startMethod) => {
    test.each([
      ['never waits', control.spinUntilAborted],
      ['waits', control.waitUntilAborted],
    ])(
      'is told that it is not wanted, and its worker lives on when it gives up: one that %s',
      async (_, run) => {
        const pool = makePool({ processes: 1, startMethod, grace: 20_000 })
        const [before] = pool.processes
        const begun = new Event()
        const ended = new Event()
        const controller = new AbortController()
        const result = pool.apply(run, [begun, ended], { signal: controller.signal })
        await begun.wait()
        controller.abort(new Error('not needed'))
        await expect(result).rejects.toThrow('not needed')
        expect(await ended.wait({ timeout: 10_000 })).toBe(true)
        expect(await pool.apply(tasks.square, [2])).toBe(4)
        expect(pool.processes[0]?.name).toBe(before?.name)
      },
    )
  },
)

test('a task past its time is told as well', async () => {
  const pool = makePool({ processes: 1, grace: 20_000 })
  await pool.apply(tasks.square, [1])
  const ended = new Event()
  const result = pool.apply(control.spinUntilAborted, [new Event(), ended], { timeout: 100 })
  await expect(result).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
  expect(await ended.wait({ timeout: 10_000 })).toBe(true)
})

test('the chunks of a map that has failed are told', async () => {
  const pool = makePool({ processes: 2, grace: 20_000 })
  const begun = new Event()
  const ended = new Event()
  await expect(
    pool.map(
      control.failOrSpin,
      [
        [begun, ended, true],
        [begun, ended, false],
      ],
      { chunkSize: 1 },
    ),
  ).rejects.toThrow('the first to fail')
  expect(await ended.wait({ timeout: 10_000 })).toBe(true)
})

test('of a chunk that nobody wants any more, the items that are left do not start', async () => {
  const pool = makePool({ processes: 1, grace: 20_000 })
  const ran = new SimpleQueue<number>()
  const first = new Event()
  const controller = new AbortController()
  const result = pool.starmap(
    control.appendAndWait,
    numbers(1000).map((n) => [ran, first, n] as const),
    { chunkSize: 1000, signal: controller.signal },
  )
  await first.wait()
  controller.abort()
  await expect(result).rejects.toMatchObject({ name: 'AbortError' })
  // The worker is free long before all items would have been done.
  expect(await pool.apply(tasks.square, [2])).toBe(4)
  const all = []
  while (!ran.empty()) all.push(await ran.get())
  expect(all.length).toBeLessThan(1000)
})

test.skipIf(isBareRun)('only the worker of a task that does not give up is replaced', async () => {
  const pool = makePool({ processes: 3, grace: 50 })
  await pool.map(control.pidLater, numbers(12).fill(20), { chunkSize: 1 })
  const before = pids(pool)
  const controller = new AbortController()
  const begun = new Event()
  const result = pool.apply(tasks.beginAndSpin, [begun], { signal: controller.signal })
  await begun.wait()
  controller.abort()
  await expect(result).rejects.toMatchObject({ name: 'AbortError' })
  await vi.waitUntil(() => pids(pool).filter((pid) => !before.includes(pid)).length === 1, 10_000)
  expect(pids(pool).filter((pid) => before.includes(pid))).toHaveLength(2)
})

test('outside of a task there is none', async () => {
  expect(currentTask()).toBe(null)
  expect(await makePool(1).apply(control.isTask)).toBe(true)
})

test.skipIf(isBareRun)('a storm of aborts leaves the pool as it was', async () => {
  const pool = makePool({ processes: 2, grace: 0 })
  for (let round = 0; round < 20; round++) {
    const controller = new AbortController()
    const all = numbers(50).map((n) =>
      pool.apply(n % 10 === 0 ? control.pidLater : tasks.square, [n], {
        signal: controller.signal,
      }),
    )
    setTimeout(() => controller.abort(), round)
    await Promise.allSettled(all)
  }
  expect(await pool.map(tasks.square, numbers(10))).toEqual(numbers(10).map((n) => n * n))
  expect(pool.stats().tasks).toMatchObject({ queued: 0, running: 0 })
})

test('a task of a higher priority goes before those that wait already', async () => {
  const pool = makePool(1)
  const gate = new Event()
  const ran = new SimpleQueue<number>()
  const blocking = pool.apply(tasks.passGate, [gate, 0])
  const all = [0, 0, 5, 0, 9, -1].map((priority) =>
    pool.apply(tasks.appendTo, [ran, priority], { priority }),
  )
  gate.set()
  await Promise.all([blocking, ...all])
  expect(await ran.getMany(6)).toEqual([9, 5, 0, 0, 0, -1])
})

test.skipIf(isBareRun)(
  'a worker runs as many tasks as it may, and has a successor before it ends',
  async () => {
    const pool = makePool({ processes: 2, maxTasksPerChild: 3 })
    let fewest = Infinity
    const seen = new Map<number, number>()
    await Promise.all(
      numbers(24).map(async () => {
        const pid = await pool.apply(control.pidLater, [20])
        seen.set(pid, (seen.get(pid) ?? 0) + 1)
        fewest = Math.min(fewest, pool.processes.length)
      }),
    )
    expect(Math.max(...seen.values())).toBeLessThanOrEqual(3)
    expect(seen.size).toBeGreaterThanOrEqual(8)
    expect(fewest).toBeGreaterThanOrEqual(2)
  },
)

test.skipIf(isBareRun)('a worker with too much memory is replaced', async () => {
  const pool = makePool({ processes: 1, maxMemoryPerChild: 200 * 2 ** 20 })
  const first = await pool.apply(control.pid)
  expect(await pool.apply(control.keepMegabytes, [300])).toBe(first)
  expect(await pool.apply(control.pid)).not.toBe(first)
  await vi.waitUntil(() => pool.processes.length === 1, 10_000)
})

test('of threads only the one that has too much memory is replaced, whatever the others have', async () => {
  const ours = Buffer.alloc(300 * 2 ** 20, 1)
  const pool = makePool({ processes: 1, startMethod: 'thread', maxMemoryPerChild: 200 * 2 ** 20 })
  const [first] = pool.processes
  for (let n = 0; n < 5; n++) {
    await pool.apply(control.pidLater, [60])
    expect(pool.processes).toMatchObject([{ name: first.name }])
  }
  await pool.apply(control.keepMegabytes, [300])
  await pool.apply(control.pid)
  await vi.waitUntil(() => pool.processes.every(({ name }) => name !== first.name), 10_000)
  expect(ours.length).toBe(300 * 2 ** 20)
})

test('a pool can be made larger and smaller while it works', async () => {
  const pool = makePool(1)
  pool.resize(3)
  expect(pool.processes).toHaveLength(3)
  const running = pool.map(tasks.squareLater, numbers(200), { chunkSize: 1 })
  pool.resize(1)
  expect(await running).toEqual(numbers(200).map((n) => n * n))
  await vi.waitUntil(() => pool.processes.length === 1, 10_000)
  expect(await pool.apply(tasks.square, [3])).toBe(9)
  expect(() => pool.resize(0)).toThrow(/processes/)
})

test('idle workers end, and come back with work', async () => {
  const pool = makePool({ processes: 3, minProcesses: 1, idleTimeout: 100 })
  expect(pool.processes).toHaveLength(1)
  await pool.map(control.pidLater, numbers(30).fill(20), { chunkSize: 1 })
  expect(pool.processes.length).toBeGreaterThan(1)
  await vi.waitUntil(() => pool.processes.length === 1, 10_000)
  expect(await pool.map(tasks.square, numbers(50))).toEqual(numbers(50).map((n) => n * n))
})

test('a pool that keeps no idle worker starts one when there is work', async () => {
  const pool = makePool({ processes: 2, idleTimeout: 50 })
  expect(pool.processes).toHaveLength(0)
  expect(await pool.apply(tasks.square, [3])).toBe(9)
  await vi.waitUntil(() => pool.processes.length === 0, 10_000)
  expect(await pool.apply(tasks.square, [4])).toBe(16)
  pool.close()
  await pool.join({ timeout: 10_000 })
})

const both = ways<StartMethod>('spawn', 'thread')

test.each(both.flatMap((outer) => both.map((inner) => [outer, inner] as const)))(
  'a task of a %s worker can have a pool of %s workers',
  async (outer, inner) => {
    const pool = makePool({ processes: 1, startMethod: outer })
    expect(await pool.apply(control.sumOfSquares, [10, inner])).toBe(285)
  },
)
