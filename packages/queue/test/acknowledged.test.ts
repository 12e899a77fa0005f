/** A `JoinableQueue` that delivers again what its taker did not finish. */
import type { StartMethod } from '@mp/process'
import { JoinableQueue, Queue, QueueEmptyError, QueueShutDownError } from '@mp/queue'
import { OBJECT_OWNER } from '@mp/shared-memory/internal'
import { Event, Lock } from '@mp/sync'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { wasKilled, ways } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import * as children from './fixtures/acknowledging.mjs'
import { start } from './start.js'

const LIMIT = { timeout: 10_000 }

const code = (name: string): unknown => expect.objectContaining({ code: name })

function make<T>(options: object = {}): JoinableQueue<T> {
  return new JoinableQueue<T>({ acknowledge: true, ...options })
}

describe('in one process', () => {
  test('a task is an item with a number of deliveries, and join waits until it is done', async () => {
    const queue = make<string>()
    expect(queue.acknowledge).toBe(true)
    await queue.putMany(['a', 'b'])
    const a = await queue.getTask()
    const b = queue.getTaskSync()
    expect([a.value, a.redelivered, b.value, b.redelivered]).toEqual(['a', 0, 'b', 0])
    expect(queue.empty()).toBe(true)
    const joined = queue.join()
    b.done()
    expect(queue.joinSync({ timeout: 5 })).toBe(false)
    a.done()
    expect(await joined).toBe(true)
    expect(queue.tryGetTask()).toBeNull()
    expect(() => a.done()).toThrow(code('ERR_MP_TASK_DONE'))
    a.giveBack()
    expect(queue.empty()).toBe(true)
  })

  test('get and taskDone work as they do without it', async () => {
    const queue = make<number>(new Object())
    expect(await queue.join({ timeout: 0 })).toBe(true)
    queue.putManySync([1, 2, 3, 4])
    expect([await queue.get(), queue.getSync(), queue.tryGet(), queue.getManySync(9)]).toEqual([
      1,
      2,
      { value: 3 },
      [4],
    ])
    expect(() => queue.taskDone(5)).toThrow(code('ERR_MP_TASK_DONE'))
    queue.taskDone(3)
    expect(queue.joinSync({ timeout: 0 })).toBe(false)
    queue.taskDone()
    expect(queue.joinSync({ timeout: 0 })).toBe(true)
    expect(() => queue.taskDone()).toThrow('more often')
    expect(() => queue.getNowait()).toThrow(QueueEmptyError)
  })

  test('taskDone finishes what get took, and leaves tasks alone', () => {
    const queue = make<number>()
    queue.putManySync([1, 2])
    const task = queue.getTaskSync()
    expect(() => queue.taskDone()).toThrow(code('ERR_MP_TASK_DONE'))
    queue.getSync()
    queue.taskDone()
    task.done()
    expect(queue.joinSync({ timeout: 0 })).toBe(true)
  })

  test('what is given back comes again before all others, oldest first, and says so', async () => {
    const queue = make<number>()
    queue.putManySync([1, 2, 3, 4])
    const [one, two, three] = [queue.getTaskSync(), queue.getTaskSync(), queue.getTaskSync()]
    three.giveBack()
    one.giveBack()
    {
      using given = two
      void given
    }
    expect(queue.qsize()).toBe(4)
    const again = [
      queue.getTaskSync(),
      await queue.getTask(),
      queue.tryGetTask(),
      queue.getTaskSync(),
    ]
    expect(again.map((task) => [task?.value, task?.redelivered])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 0],
    ])
    again[0]?.giveBack()
    expect(queue.getTaskSync().redelivered).toBe(2)
    expect(queue.empty()).toBe(true)
  })

  test('what is given back wakes one who waits', async () => {
    const queue = make<number>()
    queue.putSync(1)
    const task = queue.getTaskSync()
    const waiting = queue.getTask()
    task.giveBack()
    expect(await waiting).toMatchObject({ value: 1, redelivered: 1 })
  })

  test('closing the queue gives back what was taken and not finished', async () => {
    const queue = make<number>()
    const ready = new Queue<string>()
    start('thread', children.takeAndClose, queue, ready, 3)
    queue.putManySync([1, 2, 3])
    expect(await ready.get(LIMIT)).toBe('closed')
    const tasks = [0, 1, 2].map(() => queue.getTaskSync(LIMIT))
    expect(tasks.map(({ value, redelivered }) => [value, redelivered])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ])
  })

  test('a get that waits here ends when the queue is closed here', async () => {
    const queue = make<number>()
    const waiting = queue.get()
    queue.close()
    queue.close()
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_MP_CLOSED' })
    await expect(queue.getTask()).rejects.toMatchObject({ code: 'ERR_MP_CLOSED' })
  })

  test('an item that cannot be decoded is given back, and the next is not lost', async () => {
    const queue = make<unknown>()
    children.failOnce.isOn = true
    queue.putSync(new children.Fragile())
    expect(() => queue.getTaskSync()).toThrow('not yet')
    expect(queue.qsize()).toBe(1)
    const task = await queue.getTask()
    expect(task.value).toBeInstanceOf(children.Fragile)
    expect(task.redelivered).toBe(1)
  })

  test('a queue that is not acknowledged has no tasks', async () => {
    const queue = new JoinableQueue<number>(3)
    expect(queue.acknowledge).toBe(false)
    expect(() => queue.getTaskSync()).toThrow(code('ERR_MP_NOT_ACKNOWLEDGED'))
    expect(() => queue.tryGetTask()).toThrow(code('ERR_MP_NOT_ACKNOWLEDGED'))
    await expect(queue.getTask()).rejects.toThrow(code('ERR_MP_NOT_ACKNOWLEDGED'))
    expect(() => new JoinableQueue({ acknowledge: 1 as never })).toThrow(/acknowledge/)
  })

  test('the bounds hold for what is queued, not for what is taken', () => {
    const queue = make<number>({ maxSize: 2 })
    queue.putManySync([1, 2])
    expect(queue.tryPut(3)).toBe(false)
    const task = queue.getTaskSync()
    expect(queue.tryPut(3)).toBe(true)
    task.giveBack()
    expect(queue.qsize()).toBe(3)
  })

  test('messages of any size stay whole while others come and go', () => {
    const queue = make<Uint8Array>()
    const sizes = [0, 1, 100, 16_000, 16_500, 70_000, 65_536, 5_000_000, 3, 30_000, 16_384]
    const item = (n: number): Uint8Array => new Uint8Array(sizes[n % sizes.length]).fill(n & 0xff)
    const held = []
    for (let n = 0; n < 66; n++) {
      queue.putSync(item(n))
      const task = queue.getTaskSync()
      if (n % 7 === 0) held.push({ n, task })
      else task.done()
    }
    for (const { task } of held) task.giveBack()
    for (const { n } of held) {
      const task = queue.getTaskSync()
      expect(Buffer.compare(task.value, item(n))).toBe(0)
      expect(task.redelivered).toBe(1)
      task.done()
    }
    expect(queue.joinSync({ timeout: 0 })).toBe(true)
  })

  test('a handle in an item lives as long as the item, however often that is delivered', async () => {
    const queue = make<{ lock: Lock }>()
    const lock = new Lock()
    lock.acquireSync()
    queue.putSync({ lock })
    const task = queue.getTaskSync()
    expect(task.value.lock).toBe(lock)
    task.giveBack()
    start('spawn', children.releaseLock, queue)
    expect(await lock.acquire(LIMIT)).not.toBeNull()
    expect(await queue.join(LIMIT)).toBe(true)
  })
})

describe('memory', () => {
  test('one item that is never done keeps its page, and no other', () => {
    const queue = make<Uint8Array>()
    const item = new Uint8Array(3_000)
    queue.putSync(item)
    const stuck = queue.getTaskSync()
    for (let round = 0; round < 100; round++) {
      queue.putManySync(Array.from({ length: 50 }, () => item))
      for (let n = 0; n < 50; n++) queue.getTaskSync().done()
    }
    // The table of claims, where readers are, where writers are, and the page of the one.
    expect(countPages(queue)).toBeLessThanOrEqual(5)
    stuck.done()
    for (let n = 0; n < 50; n++) {
      queue.putSync(item)
      queue.getTaskSync().done()
    }
    expect(countPages(queue)).toBeLessThanOrEqual(4)
  })

  test('many that are done in any order leave nothing', () => {
    const queue = make<Uint8Array>()
    const sizes = [100, 20_000, 9_000]
    for (let n = 0; n < 900; n++) queue.putSync(new Uint8Array(sizes[n % 3]))
    const tasks = Array.from({ length: 900 }, () => queue.getTaskSync())
    for (let n = 0; n < 900; n++) tasks[(n * 7) % 900].done()
    expect(queue.joinSync({ timeout: 0 })).toBe(true)
    expect(countPages(queue)).toBeLessThanOrEqual(3)
  })

  test('there is a limit to what is taken and not done, which takes nothing', () => {
    const queue = make<number>()
    const most = 131_072
    for (let n = 0; n <= most; n += 1_000) {
      queue.putManySync(Array.from({ length: Math.min(1_000, most + 1 - n) }, (_, i) => n + i))
    }
    expect(queue.getManySync(most)).toHaveLength(most)
    expect(() => queue.getSync()).toThrow(code('ERR_MP_TOO_MANY_TAKEN'))
    expect(() => queue.tryGetTask()).toThrow(code('ERR_MP_TOO_MANY_TAKEN'))
    expect(queue.qsize()).toBe(1)
    queue.taskDone()
    expect(queue.getSync()).toBe(most)
    queue.taskDone(most)
    expect(queue.joinSync({ timeout: 0 })).toBe(true)
  })

  test('when it is full, what is queued can be taken and done all the same', async () => {
    const program = fileURLToPath(new URL('fixtures/full-acknowledged.mjs', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [program], {
      env: { ...process.env, MP_MEMORY_LIMIT: `${16 * 1024 * 1024}` },
      timeout: 20_000,
    })
    expect(JSON.parse(stdout)).toEqual({
      refused: 'ERR_MP_OUT_OF_MEMORY',
      taken: 4_096,
      isWhole: true,
      joined: true,
    })
  })
})

/** How many pages of the session are the queue's. */
function countPages({ session: { pages }, handle: { index } }: JoinableQueue<Uint8Array>): number {
  let count = 0
  for (let page = 0; page < pages.count; page++) {
    if (pages.arena.owner(page) === (OBJECT_OWNER | index)) count++
  }
  return count
}

describe('after shutdown', () => {
  test('who has nothing waits until what others have is done', async () => {
    const queue = make<number>()
    const [ready, go] = [new Queue<string>(), new Event()]
    start('thread', children.takeAndFinishLater, queue, ready, go)
    queue.putSync(1)
    await ready.get(LIMIT)
    queue.shutdown()
    expect(queue.tryGetTask()).toBeNull()
    await expect(queue.getTask({ timeout: 5 })).rejects.toThrow(QueueEmptyError)
    const waiting = queue.getTask()
    go.set()
    await expect(waiting).rejects.toThrow(QueueShutDownError)
    expect(() => queue.tryGetTask()).toThrow(QueueShutDownError)
    expect(() => queue.getSync()).toThrow(QueueShutDownError)
  })

  test('who has something itself is told at once', async () => {
    const queue = make<number>()
    queue.putSync(1)
    const task = queue.getTaskSync()
    queue.shutdown()
    await expect(queue.getTask()).rejects.toThrow(QueueShutDownError)
    task.giveBack()
    expect((await queue.getTask()).redelivered).toBe(1)
  })

  test('tasks end when all is done', async () => {
    const queue = make<number>()
    queue.putManySync([1, 2, 3])
    queue.shutdown()
    const seen = []
    for await (const task of queue.tasks()) {
      seen.push(task.value)
      task.done()
    }
    expect(seen).toEqual([1, 2, 3])
    expect(await queue.join({ timeout: 0 })).toBe(true)
  })

  test('an immediate one drops the rest, and what is given back later', async () => {
    const queue = make<number>()
    queue.putManySync([1, 2, 3])
    const task = queue.getTaskSync()
    const joined = queue.join()
    queue.shutdown({ immediate: true })
    expect(queue.qsize()).toBe(0)
    expect(queue.joinSync({ timeout: 5 })).toBe(false)
    task.giveBack()
    expect(await joined).toBe(true)
    expect(() => queue.tryGetTask()).toThrow(QueueShutDownError)
  })
})

describe.each(ways<StartMethod>('spawn', 'thread'))('when a taker ends (%s)', (method) => {
  const end = method === 'spawn' ? children.takeAndDie : children.takeAndLeave

  test('its items come again to those who wait, and join waits for them', async () => {
    const queue = make<number>()
    const ready = new Queue<string>()
    const child = start(method, children.takeAndHang, queue, ready, 3)
    queue.putManySync([1, 2, 3])
    await ready.get(LIMIT)
    const joined = queue.join(LIMIT)
    const waiting = [queue.getTask(LIMIT), queue.getTask(LIMIT)]
    child.kill()
    const tasks = [...(await Promise.all(waiting)), queue.getTaskSync(LIMIT)]
    expect(tasks.map(({ value, redelivered }) => [value, redelivered])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ])
    for (const task of tasks.slice(1)) task.done()
    expect(queue.joinSync({ timeout: 5 })).toBe(false)
    tasks[0].done()
    expect(await joined).toBe(true)
  })

  test('a blocked consumer gets its item', () => {
    const queue = make<string>()
    const child = start(method, end, queue, 1)
    queue.putSync('x')
    child.joinSync(LIMIT)
    expect(queue.getTaskSync(LIMIT)).toMatchObject({ value: 'x', redelivered: 1 })
  })

  test('who only asks, and gives the event loop no turn, gets its item', async () => {
    const queue = make<string>()
    const ready = new Queue<string>()
    const child = start(method, children.takeAndHang, queue, ready, 1)
    queue.putSync('x')
    await ready.get(LIMIT)
    child.kill()
    const deadline = performance.now() + LIMIT.timeout
    let task = queue.tryGetTask()
    while (task === null && performance.now() < deadline) {
      if (method === 'thread') await new Promise((resolve) => setImmediate(resolve))
      task = queue.tryGetTask()
    }
    expect(task).toMatchObject({ value: 'x', redelivered: 1 })
  })
})

test('an item comes again and again until somebody survives it', async () => {
  const queue = make<string>()
  queue.putSync('poison')
  for (let n = 0; n < 3; n++) {
    expect(await start('spawn', children.takeAndDie, queue, 1).join(LIMIT)).toSatisfy(wasKilled)
  }
  const task = queue.getTaskSync(LIMIT)
  expect(task.redelivered).toBe(3)
  task.done()
  expect(queue.joinSync(LIMIT)).toBe(true)
})

test('nothing is lost and nothing is done twice while workers are killed', async () => {
  const queue = make<number>()
  const done = new Queue<number>()
  const count = 300
  const workers = [0, 1, 2].map(() => start('spawn', children.workAndReport, queue, done))
  queue.putManySync(Array.from({ length: count }, (_, n) => n))
  queue.shutdown()
  const seen = new Set<number>()
  for (let n = 0; n < count; n++) {
    seen.add(await done.get(LIMIT))
    if (n === 50) workers[0].kill()
    if (n === 150) {
      workers[1].kill()
      workers.push(start('spawn', children.workAndReport, queue, done))
    }
  }
  expect(await queue.join(LIMIT)).toBe(true)
  // A worker killed between its report and done() leaves a second report.
  for (let more = done.tryGet(); more !== null; more = done.tryGet()) seen.add(more.value)
  expect(seen.size).toBe(count)
})
