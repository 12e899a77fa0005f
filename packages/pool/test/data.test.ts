/**
 * What goes to workers and comes back, and who may use a pool.
 */
import { Process, type StartMethod } from '@mp/process'
import { SimpleQueue } from '@mp/queue'
import { SharedArray } from '@mp/shared-memory'
import { session } from '@mp/shared-memory/internal'
import { Event, Lock } from '@mp/sync'
import { isBareRun, wasKilled, ways } from 'mp-internal'
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as clients from './fixtures/clients.mjs'
import * as data from './fixtures/data.mjs'
import * as tasks from './fixtures/tasks.mjs'
import { endPools, makePool } from './make-pool.js'

afterEach(endPools)

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** How many pages this thread has that are no object's. */
function ownPages(): number {
  const { pages, agent } = session()
  return numbers(pages.count).filter((page) => pages.arena.owner(page) === agent.tag).length
}

function usedPages(): number {
  const { pages } = session()
  return numbers(pages.count).filter((page) => pages.arena.owner(page) !== 0).length
}

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

test('a long argument arrives as it was at the call, whether its task waits or not', async () => {
  const pool = makePool(2)
  const all = numbers(8).map((n) => new Uint8Array(200_000).fill(n))
  const results = all.map((bytes) => pool.apply(tasks.identity, [bytes]))
  for (const bytes of all) bytes.fill(99)
  const ends = (await Promise.all(results)).map((bytes) => [bytes.length, bytes[0], bytes.at(-1)])
  expect(ends).toEqual(numbers(8).map((n) => [200_000, n, n]))
  const urgent = [0, 5, 1].map((priority) =>
    pool.apply(tasks.identity, [new Uint8Array(200_000).fill(priority)], { priority }),
  )
  expect((await Promise.all(urgent)).map((bytes) => bytes[7])).toEqual([0, 5, 1])
})

// Without processes, who is killed takes the tests along.
test.skipIf(isBareRun)(
  'the memory of a long argument is free when its task is over, however it ends',
  async () => {
    const pool = makePool(1)
    // With it, the function has its page.
    await pool.apply(tasks.identity, [1])
    const before = ownPages()
    const used = usedPages()
    const long = [new Uint8Array(1_000_000)] as const
    const signal = AbortSignal.abort()
    await expect(pool.apply(tasks.identity, [...long], { signal })).rejects.toThrow(/abort/)
    expect(ownPages()).toBe(before)
    const controller = new AbortController()
    const first = pool.apply(tasks.squareLater, [2])
    const dropped = pool.apply(tasks.identity, [...long], { signal: controller.signal })
    controller.abort()
    await expect(dropped).rejects.toThrow(/abort/)
    expect(await first).toBe(4)
    expect(await pool.apply(tasks.identity, [3])).toBe(3)
    expect(usedPages()).toBeLessThan(used + 8)
    await expect(pool.apply(tasks.killSelf, long as never)).rejects.toThrow(/SIGKILL/)
    expect(await pool.apply(tasks.identity, [3])).toBe(3)
    await vi.waitFor(() => expect(usedPages()).toBeLessThan(used + 8), { timeout: 5_000 })
  },
)

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

describe('a client of a pool', () => {
  test('sees its workers and what it has done', async () => {
    const pool = makePool({ processes: 2, name: 'Seen' })
    const other = makePool(1)
    const seen = await other.apply(clients.look, [pool, tasks.square])
    expect(seen).toEqual({
      names: ['Seen-1', 'Seen-2'],
      pids: pool.processes.map(({ pid }) => pid),
      exitCodes: [null, null],
      workers: ['Seen-1', 'Seen-2'],
      done: 3,
      hasTimes: true,
    })
    expect(pool.stats().tasks).toMatchObject({ submitted: 3, completed: 3, running: 0 })
  })

  test('can change its size, but not write its trace', async () => {
    const pool = makePool(1)
    const other = makePool(1)
    await other.apply(clients.resize, [pool, 3])
    await vi.waitUntil(() => pool.processes.length === 3, 10_000)
    expect(await other.apply(clients.resize, [pool, 3])).toBe(3)
    await expect(other.apply(clients.resize, [pool, 0])).rejects.toThrow(/processes/)
    expect(await other.apply(clients.traceHere, [pool, 'trace.json'])).toBe('ERR_MP_POOL_CLIENT')
  })

  test('has the options of every call', async () => {
    const pool = makePool({ processes: 2, grace: 0 })
    const other = makePool(1)
    expect(await other.apply(clients.watchProgress, [pool, tasks.square])).toEqual([
      [1, 2],
      [2, 2],
      [1, 1],
    ])
    expect(
      await other.apply(clients.leaseOf, [pool, data.ramp, tasks.square, tasks.evenOnly]),
    ).toEqual([100_000, 99_999, [0, 1, 2], 25, '1 is odd', 'ERR_MP_RELEASED'])
    const [most, bytes] = await other.apply(clients.shareWith, [pool, data.mark, 40])
    expect(most).toBeGreaterThan(1)
    expect(bytes).toBeLessThan(40 * 1000)
    const spin = [tasks.beginAndSpin, new Event()] as const
    expect(await other.apply(clients.abortMany, [pool, ...spin])).toEqual([1, []])
    expect(await other.apply(clients.timeOut, [pool, ...spin])).toBe('ERR_MP_TIMEOUT')
    expect(await other.apply(clients.leaveEarly, [pool, tasks.square])).toEqual([true, true])
    expect(await other.apply(clients.closeHere, [pool, tasks.square])).toEqual([
      36,
      'ERR_MP_POOL_CLOSED',
    ])
    expect(await pool.apply(tasks.square, [3])).toBe(9)
  })

  test('sees no workers of a pool that has ended, before or after it got it', async () => {
    const pool = makePool(1)
    const other = makePool(1)
    expect(await other.apply(clients.resize, [pool, 1])).toBe(1)
    pool.terminate()
    await pool.join({ timeout: 10_000 })
    expect(pool.stats().workers).toEqual([])
    await expect(other.apply(clients.resize, [pool, 1])).rejects.toMatchObject({
      code: 'ERR_MP_POOL_CLOSED',
    })
    expect(await other.apply(clients.countWorkers, [pool])).toEqual([0, 0])
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
  expect(await child.join({ timeout: 20_000 })).toSatisfy(wasKilled)
  await vi.waitUntil(() => pool.stats().tasks.running === 0, 10_000)
  expect(await pool.apply(tasks.square, [3])).toBe(9)
})
