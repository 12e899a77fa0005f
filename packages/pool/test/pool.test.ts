import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { PicklingError } from '@mp/pickle'
import { Pool, PoolClosedError, PoolTerminatedError, WorkerLostError } from '@mp/pool'
import { type StartMethod, cpuCount } from '@mp/process'
import { SimpleQueue } from '@mp/queue'
import { ENTRY, entryWord, session } from '@mp/shared-memory/internal'
import { Event, Lock, Semaphore } from '@mp/sync'
import { isBareRun, ways } from 'mp-internal'
import { afterEach, describe, expect, test } from 'vitest'
import * as tasks from './fixtures/tasks.mjs'

const pools: Pool[] = []

function makePool(options: ConstructorParameters<typeof Pool>[0]): Pool {
  const pool = new Pool(options)
  pools.push(pool)
  return pool
}

afterEach(async () => {
  for (const pool of pools.splice(0)) {
    pool.terminate()
    await pool.join({ timeout: 10_000 })
  }
})

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

describe.each(ways<StartMethod>('spawn', 'thread'))('a pool of %s workers', (startMethod) => {
  test('runs what it is given in every form', async () => {
    const pool = makePool({ processes: 2, startMethod })
    expect(await pool.apply(tasks.add, [1, 2])).toBe(3)
    expect(pool.applySync(tasks.add, [3, 4])).toBe(7)
    const result = pool.applyAsync(tasks.square, [5])
    expect(await result).toBe(25)
    expect([result.ready(), result.successful()]).toEqual([true, true])
    expect(await result.get({ timeout: 0 })).toBe(25)
    expect(await pool.map(tasks.square, numbers(100))).toEqual(numbers(100).map((n) => n * n))
    expect(pool.mapSync(tasks.square, new Set([1, 2, 3]))).toEqual([1, 4, 9])
    expect(await pool.map(tasks.squareLater, numbers(10))).toEqual(numbers(10).map((n) => n * n))
    expect(await pool.mapAsync(tasks.square, [])).toEqual([])
    expect(
      await pool.starmap(tasks.add, [
        [1, 2],
        [3, 4],
      ]),
    ).toEqual([3, 7])
    expect(await pool.starmapAsync(tasks.add, [[5, 6]]).get()).toEqual([11])
    pool.close()
    await pool.join({ timeout: 10_000 })
    expect(pool.processes).toEqual([])
  })

  test('has the functions and classes of packages once', async () => {
    const pool = makePool({ processes: 1, startMethod })
    expect(await pool.apply(cpuCount)).toBe(cpuCount())
    expect(await pool.apply(tasks.isOwn, [cpuCount, Semaphore])).toBe(true)
  })

  test('gives results one by one', async () => {
    const pool = makePool({ processes: 2, startMethod })
    const got = []
    for await (const n of pool.imap(tasks.square, numbers(50), { chunkSize: 3 })) got.push(n)
    expect(got).toEqual(numbers(50).map((n) => n * n))
    const unordered = []
    for await (const n of pool.imapUnordered(tasks.square, numbers(50))) unordered.push(n)
    expect(unordered.sort((a, b) => a - b)).toEqual(numbers(50).map((n) => n * n))
  })

  test('errors keep their class, message and properties', async () => {
    const pool = makePool({ processes: 1, startMethod })
    const error = await pool.apply(tasks.evenOnly, [3]).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(tasks.OddError)
    expect(error).toMatchObject({ name: 'OddError', message: '3 is odd', n: 3 })
    expect(() => pool.applySync(tasks.evenOnly, [5])).toThrow('5 is odd')
    await expect(pool.map(tasks.evenOnly, [0, 1, 2])).rejects.toThrow('1 is odd')
    const outcomes = []
    const iterator = pool.imap(tasks.evenOnly, [0, 1, 2])
    for (let i = 0; i < 3; i++) {
      outcomes.push(
        await iterator.next().then(
          ({ value }) => value,
          (reason: unknown) => (reason as Error).message,
        ),
      )
    }
    expect(outcomes).toEqual([0, '1 is odd', 2])
    expect((await iterator.next()).done).toBe(true)
  })

  test('the initializer runs once in each worker', async () => {
    const pool = makePool({
      processes: 1,
      startMethod,
      initializer: tasks.initialise,
      initArgs: ['set up'],
    })
    expect(await pool.apply(tasks.getInitialised)).toBe('set up')
  })

  test('a failing initializer fails the tasks, and the pool does not start workers for ever', async () => {
    const pool = makePool({ processes: 2, startMethod, initializer: tasks.failToInitialise })
    await expect(pool.apply(tasks.square, [1])).rejects.toThrow('1 is odd')
    await expect(pool.apply(tasks.square, [1])).rejects.toThrow('1 is odd')
    pool.close()
    await pool.join({ timeout: 10_000 })
  })

  test('terminate rejects what is pending', async () => {
    const pool = makePool({ processes: 1, startMethod })
    const begun = new Event()
    const running = pool.apply(tasks.beginAndSpin, [begun])
    const queued = numbers(100).map((n) => pool.apply(tasks.square, [n]))
    await begun.wait()
    pool.terminate()
    await expect(running).rejects.toThrow(PoolTerminatedError)
    for (const result of queued) await expect(result).rejects.toThrow(PoolTerminatedError)
    await pool.join({ timeout: 10_000 })
    await expect(pool.apply(tasks.square, [1])).rejects.toThrow(PoolClosedError)
  })

  test('a worker is replaced after so many tasks', async () => {
    const pool = makePool({ processes: 1, startMethod, maxTasksPerChild: 2 })
    const names = new Set<string>()
    for (let i = 0; i < 5; i++) {
      expect(await pool.apply(tasks.square, [i])).toBe(i * i)
      for (const { name } of pool.processes) names.add(name)
    }
    expect(names.size).toBeGreaterThan(1)
  })
})

test('a worker that dies takes one task with it and is replaced', async () => {
  const pool = makePool(2)
  const lost = pool.apply(tasks.killSelf)
  const others = numbers(50).map((n) => pool.apply(tasks.square, [n]))
  const error = await lost.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(WorkerLostError)
  expect(error).toMatchObject(
    isBareRun
      ? { exitCode: 9, signal: null, task: 'killSelf()' }
      : { exitCode: -9, signal: 'SIGKILL', task: 'killSelf()' },
  )
  expect(await Promise.all(others)).toEqual(numbers(50).map((n) => n * n))
  await expect(pool.apply(tasks.exitWith, [3])).rejects.toMatchObject({ exitCode: 3, signal: null })
  expect(() => pool.applySync(tasks.exitWith, [4])).toThrow(WorkerLostError)
  expect(await pool.apply(tasks.square, [3])).toBe(9)
})

test.skipIf(isBareRun)(
  'an idle worker that is killed is replaced and blamed for nothing',
  async () => {
    const pool = makePool(1)
    const before = await pool.apply(tasks.pid)
    process.kill(before, 'SIGKILL')
    expect(await pool.apply(tasks.pid)).not.toBe(before)
  },
)

test('a task is tried again as often as asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mp-pool-'))
  try {
    const pool = makePool(1)
    expect(await pool.apply(tasks.killUnless, [join(folder, 'a')], { retries: 1 })).toBe('survived')
    await expect(pool.apply(tasks.killSelf, [], { retries: 2 })).rejects.toThrow(WorkerLostError)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a task past its time is ended, its neighbours are not', async () => {
  const pool = makePool(2)
  const begun = new Event()
  // Its worker is there, and has loaded what it needs, so that its time goes to the task.
  await pool.map(tasks.square, numbers(20), { chunkSize: 1 })
  const late = pool.apply(tasks.beginAndSpin, [begun], { timeout: 500 })
  const neighbours = numbers(20).map((n) => pool.apply(tasks.squareLater, [n]))
  await expect(late).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
  expect(begun.isSet()).toBe(true)
  expect(await Promise.all(neighbours)).toEqual(numbers(20).map((n) => n * n))
  expect(await pool.apply(tasks.square, [2])).toBe(4)
})

test('an aborted task ends, one that is queued never starts', async () => {
  const pool = makePool(1)
  const ran = new SimpleQueue<number>()
  const begun = new Event()
  const first = new AbortController()
  const second = new AbortController()
  const running = pool.apply(tasks.beginAndSpin, [begun], { signal: first.signal })
  const queued = pool.apply(tasks.appendTo, [ran, 1], { signal: second.signal })
  await begun.wait()
  second.abort(new Error('not needed'))
  await expect(queued).rejects.toThrow('not needed')
  first.abort(new Error('too long'))
  await expect(running).rejects.toThrow('too long')
  expect(await pool.apply(tasks.square, [2])).toBe(4)
  expect(ran.empty()).toBe(true)
})

test('tasks of a higher priority go first', async () => {
  const pool = makePool(1)
  const gate = new Event()
  const ran = new SimpleQueue<number>()
  // More than the ring holds, so that the rest waits in the backlog.
  const filling = numbers(1100).map(() => pool.apply(tasks.passGate, [gate, 0]))
  const low = pool.apply(tasks.appendTo, [ran, 1])
  const high = pool.apply(tasks.appendTo, [ran, 2], { priority: 1 })
  gate.set()
  await Promise.all([...filling, low, high])
  expect(await ran.getMany(2)).toEqual([2, 1])
})

test('imap reads no further ahead than its buffer, and stops when its consumer leaves', async () => {
  const pool = makePool(2)
  let read = 0
  let closed = false
  function* input(): Generator<number> {
    try {
      for (;;) yield read++
    } finally {
      closed = true
    }
  }
  let consumed = 0
  for await (const n of pool.imap(tasks.identity, input(), { buffer: 5 })) {
    expect(n).toBe(consumed++)
    expect(read).toBeLessThanOrEqual(consumed + 5)
    if (consumed === 30) break
  }
  expect(closed).toBe(true)
})

test('imap passes on an error of its input, after the results before it', async () => {
  const pool = makePool(1)
  async function* input(): AsyncGenerator<number> {
    yield 1
    yield 2
    throw new Error('no more')
  }
  const got: number[] = []
  await expect(
    (async () => {
      for await (const n of pool.imap(tasks.square, input())) got.push(n)
    })(),
  ).rejects.toThrow('no more')
  expect(got).toEqual([1, 4])
})

test('a result that cannot be sent rejects its task only', async () => {
  const pool = makePool(1)
  const error: unknown = await pool.apply(tasks.unsendable).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(PicklingError)
  expect(error).toMatchObject({
    message: expect.stringMatching(/^The result cannot be sent: cannot send "made\[1\]"/),
    path: 'made[1]',
    code: 'ERR_MP_PICKLING',
  })
  expect(await pool.apply(tasks.square, [2])).toBe(4)
})

test('what cannot be sent throws at the call', async () => {
  const pool = makePool(1)
  await expect(pool.apply(tasks.identity, [Promise.resolve()])).rejects.toThrow(PicklingError)
  expect(() => pool.applyAsync(tasks.identity, [new WeakMap()])).toThrow(PicklingError)
})

test('workers that die on their start break the pool instead of being restarted for ever', async () => {
  const pool = makePool({ processes: 1, initializer: tasks.dieOnStart })
  await expect(pool.apply(tasks.square, [1])).rejects.toMatchObject({ code: 'ERR_MP_POOL_BROKEN' })
})

test('progress is told', async () => {
  const pool = makePool(2)
  const seen: number[] = []
  await pool.map(tasks.square, numbers(10), {
    chunkSize: 5,
    onProgress: ({ done }) => seen.push(done),
  })
  expect(seen).toEqual([5, 10])
})

test('20,000 tasks given at once all settle', async () => {
  const pool = makePool(2)
  const results = await Promise.all(numbers(20_000).map((n) => pool.apply(tasks.square, [n])))
  expect(results).toEqual(numbers(20_000).map((n) => n * n))
})

test('join before close throws, and disposal ends everything', async () => {
  const pool = makePool(1)
  await expect(pool.join()).rejects.toMatchObject({ code: 'ERR_MP_POOL_RUNNING' })
  await pool[Symbol.asyncDispose]()
  expect(pool.processes).toEqual([])
})

test('wrong arguments are named', async () => {
  expect(() => new Pool(0)).toThrow(/Expected `processes`.*`0`/)
  expect(() => new Pool({ initializer: 1 as never })).toThrow(/initializer/)
  expect(() => new Pool({ maxTasksPerChild: 0 })).toThrow(/maxTasksPerChild/)
  const pool = makePool(1)
  await expect(pool.apply(1 as never)).rejects.toThrow(/Expected `fn`/)
  await expect(pool.apply(tasks.square, 1 as never)).rejects.toThrow(/Expected `args`/)
  await expect(pool.map(tasks.square, 1 as never)).rejects.toThrow(/Expected `items`/)
  await expect(pool.map(tasks.square, [1], { chunkSize: 0 })).rejects.toThrow(/chunkSize/)
  expect(() => pool.imap(tasks.square, [1], { buffer: 0 })).toThrow(/buffer/)
})

describe('shared objects that go through a pool', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void

  const isThere = ({ index, generation }: Lock['handle']): boolean => {
    const entry = entryWord(index)
    const { words } = session()
    return Atomics.load(words, entry) < 0 && words[entry + ENTRY.generation] === generation
  }

  async function untilGone(handle: Lock['handle']): Promise<void> {
    const end = performance.now() + 10_000
    while (isThere(handle)) {
      if (performance.now() > end) throw new Error('it is still there')
      collect()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  test('a function that captures one is decoded by every worker, and keeps it no longer than its tasks', async () => {
    const pool = makePool(3)
    const handle = await (async () => {
      const lock = new Lock()
      const inTurn = (n: number) => lock.run(() => n + 1)
      for (let round = 0; round < 3; round++) {
        expect(await pool.map(inTurn, numbers(30), { chunkSize: 1 })).toEqual(
          numbers(30).map((n) => n + 1),
        )
        collect()
        expect(isThere(lock.handle)).toBe(true)
      }
      return lock.handle
    })()
    // The workers know the function; with them it ends.
    pool.terminate()
    await pool.join({ timeout: 10_000 })
    await untilGone(handle)
  })

  test('an argument that only its task has is there when the task is tried again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mp-pool-'))
    try {
      const pool = makePool(1)
      const semaphore = new Semaphore(7)
      const { handle } = semaphore
      const result = pool.apply(tasks.killUnlessThenCount, [join(folder, 'a'), semaphore], {
        retries: 1,
      })
      semaphore.close()
      collect()
      expect(await result).toBe(7)
      pool.terminate()
      await pool.join({ timeout: 10_000 })
      await untilGone(handle)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('a result may be one that nobody else has', async () => {
    const pool = makePool(1)
    const semaphore = await pool.apply(tasks.makeSemaphore, [5])
    pool.terminate()
    await pool.join({ timeout: 10_000 })
    collect()
    expect(semaphore.value).toBe(5)
    semaphore.close()
    expect(isThere(semaphore.handle)).toBe(false)
  })
})
