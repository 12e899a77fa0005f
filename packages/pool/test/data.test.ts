/**
 * What goes to workers and comes back, and who may use a pool.
 */
import { Process, type StartMethod } from '@mp/process'
import { SimpleQueue } from '@mp/queue'
import { SharedArray } from '@mp/shared-memory'
import { Event, Lock } from '@mp/sync'
import { ways } from 'mp-internal'
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as clients from './fixtures/clients.mjs'
import * as data from './fixtures/data.mjs'
import * as tasks from './fixtures/tasks.mjs'
import { endPools, makePool } from './make-pool.js'

afterEach(endPools)

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

test('shared arrays are the same on both sides', async () => {
  const pool = makePool(2)
  const shared = new SharedArray(Float64Array, 100)
  await pool.starmap(
    data.fill,
    numbers(100).map((i) => [shared, i]),
  )
  expect([...shared.array]).toEqual(numbers(100))
})

test('an argument that is shared is decoded once by each worker', async () => {
  const pool = makePool(2)
  const table = pool.share({ rows: numbers(10_000) })
  const seen = await pool.starmap(
    data.mark,
    numbers(40).map((i) => [table, i]),
    { chunkSize: 1 },
  )
  // Each worker counts in its own copy.
  expect(Math.max(...seen)).toBeGreaterThan(1)
  const { bytesSent } = pool.stats().serialization
  expect(bytesSent).toBeLessThan(40 * 1000)
  expect(await pool.apply(data.sum, [table])).toBe(49_995_000)
  expect(() => pool.share(1 as never)).toThrow(/value/)
})

test('a large result can be left in shared memory', async () => {
  const pool = makePool(1)
  const lease = await pool.apply(data.ramp, [100_000], { lease: true })
  expect(lease.value.length).toBe(100_000)
  expect(lease.value[99_999]).toBe(99_999)
  lease.release()
  expect(() => lease.value).toThrow(/released/)
  const small = await pool.apply(data.ramp, [3], { lease: true })
  expect([...small.value]).toEqual([0, 1, 2])
  small.release()
  const plain = await pool.apply(data.ramp, [100_000])
  expect(plain[5]).toBe(5)
  await expect(pool.apply(tasks.evenOnly, [1], { lease: true })).rejects.toThrow('1 is odd')
})

describe.each(ways<StartMethod>('spawn', 'thread'))(
  'a %s child that gets a pool',
  (startMethod) => {
    test('uses it as its parent does', async () => {
      const pool = makePool(2)
      const queue = new SimpleQueue<unknown[]>()
      const child = new Process({
        target: clients.askAndReport,
        args: [queue, pool, tasks.add, tasks.square, tasks.evenOnly],
        startMethod,
      })
      child.start()
      expect(await queue.get({ timeout: 20_000 })).toEqual([
        3,
        7,
        [1, 4, 9],
        [2, 3, 4],
        [11],
        '3 is odd',
        49,
        64,
      ])
      expect(await child.join({ timeout: 10_000 })).toBe(0)
      expect(await pool.apply(tasks.square, [3])).toBe(9)
    })
  },
)

test('a task of one pool can use another', async () => {
  const pool = makePool(1)
  const other = makePool(1)
  expect(await pool.apply(clients.askFor, [other, tasks.pid, []])).toBe(other.processes[0]?.pid)
  expect(await pool.apply(clients.askFor, [other, data.holdLock, [new Lock()]])).toBe(true)
  const begun = new Event()
  expect(await pool.apply(clients.abortLater, [other, tasks.beginAndSpin, begun])).toBe(
    'not needed',
  )
  await expect(pool.apply(clients.askFor, [other, tasks.killSelf, []])).rejects.toMatchObject({
    code: 'ERR_MP_WORKER_LOST',
  })
  other.terminate()
  await expect(pool.apply(clients.askFor, [other, tasks.pid, []])).rejects.toMatchObject({
    code: 'ERR_MP_POOL_CLOSED',
  })
})

test('what a client has asked for ends with it', async () => {
  const pool = makePool({ processes: 1, grace: 50 })
  const begun = new Event()
  const child = new Process({
    target: clients.askAndDie,
    args: [pool, begun, tasks.beginAndSpin],
  })
  child.start()
  expect(await child.join({ timeout: 20_000 })).toBe(-9)
  await vi.waitUntil(() => pool.stats().tasks.running === 0, 10_000)
  expect(await pool.apply(tasks.square, [3])).toBe(9)
})
