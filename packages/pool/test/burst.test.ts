/**
 * Very many tasks given in one go: results that are settled meanwhile, and deaths among them.
 */
import { type AsyncResult, WorkerLostError } from '@mp/pool'
import { afterEach, expect, test } from 'vitest'
import * as tasks from './fixtures/tasks.mjs'
import { endPools, makePool } from './make-pool.js'

afterEach(endPools)

const DEADLINE_MS = 20_000

test('a result is ready while more tasks are being given', async () => {
  const pool = makePool(2)
  await pool.apply(tasks.square, [1])
  const first = pool.applyAsync(tasks.square, [7])
  const others: AsyncResult<number>[] = []
  const began = performance.now()
  while (!first.ready() && performance.now() - began < DEADLINE_MS)
    others.push(pool.applyAsync(tasks.square, [others.length]))
  expect(first.ready()).toBe(true)
  expect(await first.get()).toBe(49)
  expect(await Promise.all(others)).toEqual(others.map((_, n) => n * n))
})

test('no callback runs while more tasks are being given', async () => {
  const pool = makePool(2)
  await pool.apply(tasks.square, [1])
  let isGiving = true
  let calls = 0
  let callsMeanwhile = 0
  const mapped = pool.map(tasks.square, [1, 2, 3, 4, 5, 6, 7, 8], {
    chunkSize: 1,
    onProgress: () => {
      calls++
      if (isGiving) callsMeanwhile++
    },
  })
  const last: AsyncResult<unknown>[] = []
  const began = performance.now()
  // The map's results are there long before this ends.
  const end = pool.applyAsync(tasks.identity, [{ plain: false }])
  while (last.length < 5_000 && performance.now() - began < DEADLINE_MS)
    last.push(pool.applyAsync(tasks.identity, [last.length]))
  isGiving = false
  expect(await mapped).toEqual([1, 4, 9, 16, 25, 36, 49, 64])
  expect(await end.get()).toEqual({ plain: false })
  expect(await Promise.all(last)).toEqual(last.map((_, n) => n))
  expect(calls).toBe(8)
  expect(callsMeanwhile).toBe(0)
})

test('among many tasks given in one go, each death costs the one that died', async () => {
  const pool = makePool({ processes: 3, stdio: 'ignore' })
  await pool.apply(tasks.square, [1])
  const count = 4000
  const dies = (n: number): boolean => n % 800 === 799
  const results = Array.from({ length: count }, (_, n) => {
    if (dies(n)) return pool.applyAsync(tasks.killSelf)
    // Some results are numbers, some are not.
    return pool.applyAsync(tasks.identity, [n % 3 === 0 ? { n } : n])
  })
  const outcomes = await Promise.allSettled(results)
  for (const [n, outcome] of outcomes.entries()) {
    if (outcome.status === 'rejected') {
      expect([n, dies(n), outcome.reason]).toEqual([n, true, expect.any(WorkerLostError)])
    } else {
      expect([n, outcome.value]).toEqual([n, n % 3 === 0 ? { n } : n])
    }
  }
  expect(pool.stats().tasks).toMatchObject({
    completed: count - count / 800 + 1,
    failed: count / 800,
    queued: 0,
    running: 0,
  })
})
