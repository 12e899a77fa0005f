/**
 * Many tasks at once: what they cost, and how their number is bounded.
 */
import { type AsyncResult, type Pool, PoolFullError } from '@mp/pool'
import { Event } from '@mp/sync'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import * as clients from './fixtures/clients.mjs'
import * as tasks from './fixtures/tasks.mjs'
import { endPools, makeExecutor, makePool } from './make-pool.js'

afterEach(endPools)

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** A task that runs until the gate is open, and what wait behind it. */
async function fill(pool: Pool, queued: number) {
  const gate = new Event()
  const begun = new Event()
  const running = pool.applyAsync(tasks.beginAndPass, [begun, gate, 0])
  await begun.wait()
  const waiting = numbers(queued).map((n) => pool.applyAsync(tasks.square, [n]))
  return { gate, all: [running, ...waiting] as AsyncResult<number>[] }
}

test('who waits for room never has more tasks waiting', async () => {
  const pool = makePool(2)
  const results: AsyncResult<number>[] = []
  let most = 0
  for (const n of numbers(5000)) {
    await pool.room({ queued: 50 })
    results.push(pool.applyAsync(tasks.square, [n]))
    most = Math.max(most, results.length - pool.stats().tasks.completed)
  }
  expect(await Promise.all(results)).toEqual(numbers(5000).map((n) => n * n))
  expect(most).toBeLessThanOrEqual(50 + 2)
  expect(most).toBeGreaterThan(10)
})

test('a wait for room ends with room, its time, its signal or the pool', async () => {
  const pool = makePool(1)
  const { gate, all } = await fill(pool, 10)
  expect(await pool.room()).toBe(true)
  expect(await pool.room({ queued: 11 })).toBe(true)
  expect(await pool.room({ queued: 10, timeout: 20 })).toBe(false)
  expect(await pool.room({ queued: 10, timeout: 0 })).toBe(false)
  expect(pool.roomSync({ queued: 10, timeout: 20 })).toBe(false)
  const signal = AbortSignal.abort(new Error('not needed'))
  await expect(pool.room({ queued: 1, signal })).rejects.toThrow('not needed')
  await expect(pool.room({ queued: -1 })).rejects.toThrow(/queued/)
  const controller = new AbortController()
  const aborted = pool.room({ queued: 1, signal: controller.signal })
  const waiting = pool.room({ queued: 1 })
  const forAll = pool.room({ queued: 0 })
  controller.abort(new Error('too long'))
  await expect(aborted).rejects.toThrow('too long')
  gate.set()
  expect(pool.roomSync({ queued: 5 })).toBe(true)
  expect(await Promise.all([waiting, forAll])).toEqual([true, true])
  await Promise.all(all)
  const full = await fill(pool, 10)
  const ending = pool.room({ queued: 1 })
  pool.terminate()
  expect(await ending).toBe(true)
  await expect(pool.room()).rejects.toMatchObject({ code: 'ERR_MP_POOL_CLOSED' })
  await expect(full.all[0]).rejects.toMatchObject({ code: 'ERR_MP_POOL_TERMINATED' })
})

test('a pool with a limit refuses more, in every form of call, and takes them again later', async () => {
  const pool = makePool({ processes: 1, maxQueued: 3 })
  const { gate, all } = await fill(pool, 3)
  expect(() => pool.applyAsync(tasks.square, [1])).toThrow(PoolFullError)
  await expect(pool.apply(tasks.square, [1])).rejects.toMatchObject({ code: 'ERR_MP_POOL_FULL' })
  await expect(pool.map(tasks.square, [1])).rejects.toThrow(/maxQueued: 3/)
  expect(() => pool.imap(tasks.square, [1])).toThrow(PoolFullError)
  const other = makePool(1)
  await expect(other.apply(clients.askFor, [pool, tasks.square, [1]])).rejects.toThrow(
    PoolFullError,
  )
  const room = pool.room()
  gate.set()
  expect(await room).toBe(true)
  // Its chunks are more than may wait, and it is one call.
  expect(await pool.map(tasks.square, numbers(20), { chunkSize: 1 })).toHaveLength(20)
  await Promise.all(all)
  const again = await fill(pool, 3)
  again.gate.set()
  // Whoever blocks waits for room.
  expect(pool.applySync(tasks.square, [5])).toBe(25)
  await Promise.all(again.all)
})

test('a pool that lets nobody wait takes a task for each worker', async () => {
  const executor = makeExecutor({ maxWorkers: 1, maxQueued: 0 })
  const begun = new Event()
  const gate = new Event()
  const running = executor.submit(tasks.beginAndPass, begun, gate, 1)
  expect(() => executor.submit(tasks.square, 1)).toThrow(PoolFullError)
  gate.set()
  expect(await running).toBe(1)
  await executor.pool.room()
  expect(await executor.submit(tasks.square, 2)).toBe(4)
})

test('tasks that wait take little memory', async () => {
  const program = fileURLToPath(new URL('fixtures/waiting-memory.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program], {
    timeout: 25_000,
  })
  const { applyAsync, submit, apply } = JSON.parse(stdout) as Record<string, number>
  // Measured: 255, 300 and 470 on Node 20.
  expect(applyAsync).toBeLessThan(330)
  expect(submit).toBeLessThan(400)
  expect(apply).toBeLessThan(600)
})
