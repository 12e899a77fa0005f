/**
 * What the documentation of Python's `multiprocessing` promises of queues, and its users rely on.
 *
 * Written from docs.python.org/3/library/multiprocessing.html and queue.html; each title is one such behaviour.
 */
import { PicklingError } from '@mp/pickle'
import type { StartMethod } from '@mp/process'
import {
  JoinableQueue,
  Queue,
  QueueEmptyError,
  QueueFullError,
  QueueShutDownError,
  SimpleQueue,
} from '@mp/queue'
import { Event } from '@mp/sync'
import { ways } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import * as children from './fixtures/python.mjs'
import { start } from './start.js'

const LIMIT = { timeout: 10_000 }
/** How long something takes, in milliseconds. */
async function took(run: () => unknown): Promise<number> {
  const begun = performance.now()
  try {
    await run()
  } catch (error) {
    if (!(error instanceof QueueEmptyError) && !(error instanceof QueueFullError)) throw error
  }
  return performance.now() - begun
}

describe('a queue in one process', () => {
  test('waits as long as the timeout says, and not at all with block false or a timeout of 0', async () => {
    const [empty, full] = [new Queue<number>(), new Queue<number>(1)]
    full.putSync(0)
    for (const timed of [
      () => empty.get({ timeout: 80 }),
      () => empty.getSync({ timeout: 80 }),
      () => full.put(1, { timeout: 80 }),
      () => full.putSync(1, { timeout: 80 }),
      () => empty.getMany(3, { timeout: 80 }),
      () => full.putManySync([1], { timeout: 80 }),
    ]) {
      expect(await took(timed)).toBeGreaterThan(75)
    }
    for (const once of [
      () => empty.get({ timeout: 0 }),
      () => empty.getSync({ timeout: -1 }),
      () => empty.get({ block: false, timeout: 60_000 }),
      () => empty.getManySync(3, { block: false }),
      () => full.put(1, { timeout: 0 }),
      () => full.putSync(1, { block: false, timeout: 60_000 }),
      () => full.putMany([1], { block: false }),
    ]) {
      expect(await took(once)).toBeLessThan(2_000)
    }
  })

  test('size, empty and full are exact at their moment', () => {
    const queue = new Queue<number>(2)
    const seen = (): unknown[] => [queue.qsize(), queue.empty(), queue.full()]
    expect(seen()).toEqual([0, true, false])
    queue.putSync(1)
    expect(seen()).toEqual([1, false, false])
    queue.putSync(2)
    expect(seen()).toEqual([2, false, true])
    queue.getSync()
    expect(seen()).toEqual([1, false, false])
    const unbounded = new Queue<number>()
    unbounded.putManySync([1, 2, 3])
    expect([unbounded.qsize(), unbounded.full()]).toEqual([3, false])
  })

  test('an item that cannot be sent takes no place in a bounded queue', async () => {
    const queue = new Queue<unknown>(1)
    for (let n = 0; n < 3; n++) {
      await expect(queue.put(new WeakMap())).rejects.toThrow(PicklingError)
      expect(() => queue.putManySync([n, Promise.resolve()])).toThrow(RangeError)
    }
    expect(queue.qsize()).toBe(0)
    await queue.put('good', { block: false })
    expect(queue.getNowait()).toBe('good')
  })

  test('of a batch with an item that cannot be sent nothing is put', () => {
    const queue = new Queue<unknown>()
    expect(() => queue.putManySync([1, new WeakMap(), 3])).toThrow(PicklingError)
    expect(queue.empty()).toBe(true)
  })

  test('the errors are those of an empty, a full and a closed queue, with codes', async () => {
    const queue = new Queue<number>(1)
    const codeOf = async (call: () => unknown): Promise<unknown> => {
      try {
        await call()
      } catch (error) {
        return [(error as Error).name, (error as { code: string }).code]
      }
      return undefined
    }
    expect(await codeOf(() => queue.getNowait())).toEqual(['QueueEmptyError', 'ERR_MP_QUEUE_EMPTY'])
    queue.putSync(1)
    expect(await codeOf(() => queue.putNowait(1))).toEqual(['QueueFullError', 'ERR_MP_QUEUE_FULL'])
    queue.shutdown()
    expect(await codeOf(() => queue.put(1))).toEqual([
      'QueueShutDownError',
      'ERR_MP_QUEUE_SHUT_DOWN',
    ])
    queue.close()
    for (const call of [
      () => queue.put(1),
      () => queue.putSync(1),
      () => queue.putMany([1]),
      () => queue.get(),
      () => queue.getSync(),
      () => queue.getMany(1),
      () => queue.tryGet(),
      () => queue.tryPut(1),
      () => queue.qsize(),
      () => queue.empty(),
      () => queue.full(),
      () => queue.shutdown(),
    ]) {
      expect(await codeOf(call)).toEqual(['MultiprocessingError', 'ERR_MP_CLOSED'])
    }
  })

  test('shutting down twice is fine, and the second may drop what the first left', () => {
    const queue = new Queue<number>()
    queue.putManySync([1, 2])
    queue.shutdown()
    queue.shutdown()
    expect(queue.getSync()).toBe(1)
    queue.shutdown({ immediate: true })
    expect(() => queue.getNowait()).toThrow(QueueShutDownError)
    expect(() => queue.shutdown({ immediate: 1 as never })).toThrow(/immediate/)
    expect(() => queue.shutdown(null as never)).toThrow(/options/)
  })

  test('a put or get that was aborted before has no effect', async () => {
    const queue = new Queue<number>()
    const signal = AbortSignal.abort(new Error('no more'))
    await expect(queue.put(1, { signal })).rejects.toThrow('no more')
    expect(() => queue.putSync(1, { signal })).toThrow('no more')
    expect(queue.empty()).toBe(true)
    queue.putSync(2)
    await expect(queue.get({ signal })).rejects.toThrow('no more')
    expect(() => queue.getManySync(2, { signal })).toThrow('no more')
    expect(queue.getNowait()).toBe(2)
  })

  test('a put that is aborted while it waits puts nothing, and the next goes on', async () => {
    const queue = new Queue<string>(1)
    queue.putSync('first')
    const abort = new AbortController()
    const aborted = queue.put('never', { signal: abort.signal })
    const next = queue.put('next')
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    expect(await queue.get()).toBe('first')
    await next
    expect(queue.getSync()).toBe('next')
    expect(queue.empty()).toBe(true)
  })
})

describe('a simple queue', () => {
  test('has put, get, empty and close, and no bounds', async () => {
    const queue = new SimpleQueue<number>()
    expect(queue.empty()).toBe(true)
    for (let n = 0; n < 2_000; n++) queue.putSync(n)
    expect(queue.empty()).toBe(false)
    for (let n = 0; n < 2_000; n++) expect(queue.getSync()).toBe(n)
    expect(queue.empty()).toBe(true)
    queue.close()
    queue.close()
    await expect(queue.get()).rejects.toMatchObject({ code: 'ERR_MP_CLOSED' })
  })

  test('passes items in both forms to a child and back', async () => {
    const [to, from] = [new SimpleQueue<number>(), new SimpleQueue<number>()]
    start('spawn', children.echo, to, from, 4)
    for (const n of [1, 2]) to.putSync(n)
    for (const n of [3, 4]) await to.put(n)
    const got = [
      from.getSync(LIMIT),
      await from.get(LIMIT),
      from.getSync(LIMIT),
      await from.get(LIMIT),
    ]
    expect(got).toEqual([1, 2, 3, 4])
  })
})

describe.each(ways<StartMethod>('spawn', 'thread'))('between processes (%s)', (method) => {
  test('a child waits to put until its parent makes room, and to get until there is something', async () => {
    const [queue, room, more] = [new Queue<number>(2), new Event(), new Queue<number>()]
    const child = start(method, children.fillAndAsk, queue, room, more)
    expect(await room.wait(LIMIT)).toBe(true)
    expect(queue.full()).toBe(true)
    const got = [await queue.get(LIMIT), queue.getSync(LIMIT), await queue.get(LIMIT)]
    expect(got).toEqual([1, 2, 3])
    more.putSync(4)
    expect(await queue.get(LIMIT)).toBe(4)
    expect(await child.join(LIMIT)).toBe(0)
  })

  test('what was put before a child began comes before what it puts', async () => {
    const queue = new Queue<number>()
    queue.putManySync([0, 1, 2])
    const child = start(method, children.putNumbers, queue, 3, 10)
    expect(await child.join(LIMIT)).toBe(0)
    expect(queue.getManySync(20)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('a child that has put much ends though nobody has got it yet', async () => {
    const queue = new Queue<unknown>()
    const child = start(method, children.putMuch, queue)
    expect(await child.join(LIMIT)).toBe(0)
    expect(queue.getSync()).toHaveLength(3_000_000)
    expect(queue.qsize()).toBe(500)
  })

  test('workers finish their tasks, and join returns when all are done', async () => {
    const queue = new JoinableQueue<number | null>()
    const workers = [1, 2].map(() => start(method, children.workUntilNull, queue))
    for (let n = 0; n < 40; n++) queue.putSync(n)
    expect(await queue.join(LIMIT)).toBe(true)
    for (let n = 0; n < workers.length; n++) await queue.put(null)
    for (const worker of workers) expect(await worker.join(LIMIT)).toBe(0)
    expect(queue.joinSync(LIMIT)).toBe(true)
  })

  test('shutting down in one process ends waits in others', async () => {
    const [queue, full, results] = [new Queue<number>(), new Queue<number>(1), new Queue<string>()]
    full.putSync(1)
    for (const blocking of ['getSync', 'putSync', '']) {
      start(method, children.waitUntilShutDown, blocking, queue, full, results)
    }
    for (let n = 0; n < 3; n++) expect(await results.get(LIMIT)).toBe('waits')
    queue.shutdown()
    full.shutdown()
    const ends = []
    for (let n = 0; n < 5; n++) ends.push(await results.get(LIMIT))
    expect(ends.sort((a, b) => a.localeCompare(b))).toEqual([
      'get: ERR_MP_QUEUE_SHUT_DOWN',
      'getSync: ERR_MP_QUEUE_SHUT_DOWN',
      'iterate: end',
      'put: ERR_MP_QUEUE_SHUT_DOWN',
      'putSync: ERR_MP_QUEUE_SHUT_DOWN',
    ])
  })

  test('a queue may be sent through a queue, and is the same one', async () => {
    const [outer, inner] = [new Queue<Queue<string>>(), new Queue<string>()]
    start(method, children.answerThrough, outer)
    outer.putSync(inner)
    expect(await inner.get(LIMIT)).toBe('through the queue')
  })
})

test('a batch stays together among the puts of others', async () => {
  const queue = new Queue<[string, number]>()
  start('spawn', children.putBatches, queue, 'a', 200)
  start('thread', children.putBatches, queue, 'b', 200)
  start('thread', children.putSingly, queue, 'c', 400)
  let rest = 0
  let current = ''
  for (let n = 0; n < 200 * 4 * 2 + 400; n++) {
    const [name, index] = queue.getSync(LIMIT)
    if (rest > 0) {
      expect([name, index % 4]).toEqual([current, 4 - rest])
      rest--
    } else if (name !== 'c') {
      expect(index % 4).toBe(0)
      current = name
      rest = 3
    }
  }
  expect(rest).toBe(0)
})
