import { PicklingError } from '@mp/pickle'
import type { StartMethod } from '@mp/process'
import {
  MessageTooLargeError,
  Queue,
  QueueEmptyError,
  QueueFullError,
  QueueShutDownError,
  SimpleQueue,
} from '@mp/queue'
import { RING_WORDS, WAIT_SET_WORDS } from '@mp/shared-memory/internal'
import { isBareRun, until, ways } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import * as children from './fixtures/children.mjs'
import { start } from './start.js'

describe('in one process', () => {
  test('an item comes out as it went in', async () => {
    const queue = new Queue()
    const item = { list: [1, -0, NaN, null, undefined, 'ä€😀', 2n ** 80n], when: new Date(0) }
    await queue.put(item)
    expect(queue.qsize()).toBe(1)
    expect(await queue.get()).toEqual(item)
    expect(queue.empty()).toBe(true)
  })

  test('null, undefined, NaN, -0 and empty things are items like any other', () => {
    const queue = new Queue()
    const items = [null, undefined, NaN, -0, '', [], {}, 0, false, new Uint8Array(0)]
    for (const item of items) queue.putSync(item)
    expect(items.map(() => queue.getSync())).toEqual(items)
  })

  test('a later change of the object is not seen', async () => {
    const queue = new Queue<number[]>()
    const item = [1]
    const put = queue.put(item)
    item.push(2)
    await put
    expect(await queue.get()).toEqual([1])
  })

  test('an item that cannot be sent throws from put, and nothing is queued', async () => {
    const queue = new Queue()
    await expect(queue.put({ a: [Promise.resolve()] })).rejects.toThrow(PicklingError)
    expect(() => queue.putSync(new WeakMap())).toThrow(PicklingError)
    expect(queue.qsize()).toBe(0)
  })

  test('an item whose getter puts into the same queue comes after what the getter put', () => {
    const queue = new Queue<unknown>()
    const item = {
      get inner() {
        queue.putSync('from the getter')
        return queue.qsize()
      },
      text: 'x'.repeat(300),
    }
    queue.putSync(item)
    expect(queue.getSync()).toBe('from the getter')
    expect(queue.getSync()).toEqual({ inner: 1, text: 'x'.repeat(300) })
  })

  test.each([100, 10_000, 100_000])(
    'an item of %i bytes whose decoding gets the next item stays whole',
    async (length) => {
      const queue = new Queue<unknown>()
      const bytes = new Uint8Array(length).fill(1)
      queue.putSync([new children.GetsOnArrival(queue), bytes])
      queue.putSync(new Uint8Array(length).fill(2))
      queue.putSync([new children.GetsOnArrival(queue), bytes])
      queue.putSync('the last')
      const [first, rest] = queue.getSync() as [children.GetsOnArrival, Uint8Array]
      expect(first.item as unknown).toEqual(new Uint8Array(length).fill(2))
      expect(rest).toEqual(bytes)
      const [second, other] = (await queue.get()) as [children.GetsOnArrival, Uint8Array]
      expect(second.item as unknown).toBe('the last')
      expect(other).toEqual(bytes)
    },
  )

  test('a full queue refuses without waiting and after a timeout', async () => {
    const queue = new Queue<number>(2)
    await queue.put(1)
    queue.putNowait(2)
    expect(queue.full()).toBe(true)
    expect(queue.tryPut(3)).toBe(false)
    expect(() => queue.putNowait(3)).toThrow(QueueFullError)
    await expect(queue.put(3, { block: false })).rejects.toThrow(QueueFullError)
    await expect(queue.put(3, { timeout: 5 })).rejects.toThrow(QueueFullError)
    expect(() => queue.putSync(3, { timeout: 5 })).toThrow(QueueFullError)
    expect(queue.getManySync(9)).toEqual([1, 2])
  })

  test('an empty queue refuses without waiting and after a timeout', async () => {
    const queue = new Queue<number>()
    expect(queue.tryGet()).toBeNull()
    expect(() => queue.getNowait()).toThrow(QueueEmptyError)
    await expect(queue.get({ block: false })).rejects.toThrow(QueueEmptyError)
    await expect(queue.get({ timeout: 5 })).rejects.toThrow(QueueEmptyError)
    expect(() => queue.getSync({ timeout: 5 })).toThrow(QueueEmptyError)
  })

  test('waiting puts go in in order when there is room', async () => {
    const queue = new Queue<number>(1)
    await queue.put(0)
    const puts = [1, 2, 3].map((n) => queue.put(n))
    const got = []
    for (let i = 0; i < 4; i++) got.push(await queue.get())
    await Promise.all(puts)
    expect(got).toEqual([0, 1, 2, 3])
  })

  test('a blocking put does not overtake a put that waits', async () => {
    const queue = new Queue<number>(1)
    await queue.put(0)
    const waiting = queue.put(1)
    expect(() => queue.putSync(2, { timeout: 5 })).toThrow(QueueFullError)
    expect(queue.getSync()).toBe(0)
    expect(() => queue.putSync(2, { block: false })).toThrow(QueueFullError)
    expect(await queue.get()).toBe(1)
    await waiting
  })

  test('an aborted get leaves the next item to others', async () => {
    const queue = new Queue<string>()
    const abort = new AbortController()
    const first = queue.get({ signal: abort.signal })
    const second = queue.get()
    abort.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    await queue.put('item')
    expect(await second).toBe('item')
    expect(queue.empty()).toBe(true)
  })

  test('a batch is put whole or not at all', async () => {
    const queue = new Queue<number>(3)
    await queue.putMany([1, 2])
    await expect(queue.putMany([3, 4], { block: false })).rejects.toThrow(QueueFullError)
    expect(queue.qsize()).toBe(2)
    await expect(queue.putMany([1, 2, 3, 4])).rejects.toThrow(RangeError)
    expect(await queue.getMany(9)).toEqual([1, 2])
  })

  test('messages of any size keep their order', () => {
    const queue = new Queue<Uint8Array>()
    const sizes = [0, 1, 100, 16_000, 16_500, 70_000, 65_536, 5_000_000, 3]
    for (const size of sizes) queue.putSync(new Uint8Array(size).fill(size & 0xff))
    for (const size of sizes) {
      const item = queue.getSync()
      expect(item.byteLength).toBe(size)
      expect(item.every((byte) => byte === (size & 0xff))).toBe(true)
    }
  })

  test('many messages pass through few pages', () => {
    const queue = new Queue<string>()
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 1000; i++) queue.putSync(`${i}`.padEnd(i))
      for (let i = 0; i < 1000; i++) expect(queue.getSync()).toBe(`${i}`.padEnd(i))
    }
  })

  test('a queue bounded by bytes is full by bytes and refuses what can never fit', () => {
    const queue = new Queue<Uint8Array>({ maxBytes: 10_000 })
    queue.putSync(new Uint8Array(6000))
    expect(queue.tryPut(new Uint8Array(6000))).toBe(false)
    expect(() => queue.putSync(new Uint8Array(20_000))).toThrow(MessageTooLargeError)
    expect(queue.getSync().byteLength).toBe(6000)
    expect(queue.tryPut(new Uint8Array(6000))).toBe(true)
  })

  test('after shutdown puts fail at once and gets when it is drained', async () => {
    const queue = new Queue<number>()
    queue.putSync(1)
    queue.shutdown()
    await expect(queue.put(2)).rejects.toThrow(QueueShutDownError)
    expect(() => queue.putSync(2)).toThrow(QueueShutDownError)
    expect(await queue.get()).toBe(1)
    await expect(queue.get()).rejects.toThrow(QueueShutDownError)
    expect(() => queue.getSync()).toThrow(QueueShutDownError)
    expect(() => queue.tryGet()).toThrow(QueueShutDownError)
  })

  test('shutdown wakes who waits, and an immediate one drops the rest', async () => {
    const queue = new Queue<number>(1)
    const get = queue.get()
    queue.shutdown()
    await expect(get).rejects.toThrow(QueueShutDownError)
    const full = new Queue<number>(1)
    full.putSync(1)
    const put = full.put(2)
    full.shutdown({ immediate: true })
    await expect(put).rejects.toThrow(QueueShutDownError)
    expect(() => full.getSync()).toThrow(QueueShutDownError)
  })

  test('iteration ends at shutdown', async () => {
    const queue = new SimpleQueue<number>()
    queue.putManySync([1, 2, 3])
    queue.shutdown()
    const items = []
    for await (const item of queue) items.push(item)
    expect(items).toEqual([1, 2, 3])
  })

  test('a closed queue cannot be used here', async () => {
    const queue = new Queue()
    queue.close()
    queue.close()
    await expect(queue.put(1)).rejects.toMatchObject({ code: 'ERR_MP_CLOSED' })
    expect(() => queue.qsize()).toThrow(expect.objectContaining({ code: 'ERR_MP_CLOSED' }))
  })

  test('wrong arguments are named', async () => {
    expect(() => new Queue(-1)).toThrow(RangeError)
    expect(() => new Queue('3' as never)).toThrow(/Expected `maxSize`.*'3'/)
    expect(() => new Queue({ maxBytes: 1.5 })).toThrow(/maxBytes/)
    const queue = new Queue()
    await expect(queue.get({ timeout: '1' as never })).rejects.toThrow(/timeout/)
    await expect(queue.getMany(0)).rejects.toThrow(/Expected `max`/)
    await expect(queue.putMany(1 as never)).rejects.toThrow(/items/)
    expect(() => queue.putSync(1, { signal: {} as never })).toThrow(/signal/)
  })
})

describe.each(ways<StartMethod>('spawn', 'thread'))('with %s', (method) => {
  test('two producers and one consumer: nothing lost, each in order', async () => {
    const queue = new Queue<[string, number]>()
    start(method, children.produce, queue, 'a', 500)
    start(method, children.produceSync, queue, 'b', 500)
    const seen: Record<string, number> = { a: 0, b: 0 }
    for (let i = 0; i < 1000; i++) {
      const [name, n] = await queue.get({ timeout: 10_000 })
      expect(n).toBe(seen[name])
      seen[name] = n + 1
    }
    expect(seen).toEqual({ a: 500, b: 500 })
  })

  test('a blocking consumer gets what others put', () => {
    const queue = new Queue<[string, number]>(3)
    start(method, children.produceSync, queue, 'a', 300)
    for (let i = 0; i < 300; i++) expect(queue.getSync({ timeout: 10_000 })).toEqual(['a', i])
  })

  test('a bounded relay chain passes everything on', async () => {
    const input = new Queue<number>(2)
    const output = new Queue<number>(2)
    const relays = [1, 2].map(() => start(method, children.relay, input, output))
    const put = (async () => {
      for (let i = 0; i < 200; i++) await input.put(i)
    })()
    const got = []
    for (let i = 0; i < 200; i++) got.push(await output.get({ timeout: 10_000 }))
    await put
    input.shutdown()
    expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    for (const relay of relays) expect(await relay.join({ timeout: 10_000 })).toBe(0)
  })
})

test.skipIf(isBareRun)('an item stays when its producer is killed right after put', async () => {
  const queue = new Queue<string>()
  const child = start('spawn', children.produceAndDie, queue, 'last words')
  expect(await child.join({ timeout: 10_000 })).toBe(-9)
  expect(await queue.get({ timeout: 1000 })).toBe('last words')
})

test('a consumer killed while it waits takes nothing with it', async () => {
  const ready = new Queue<string>()
  const queue = new Queue<number>()
  const victim = start('spawn', children.waitForever, ready, queue)
  await ready.get({ timeout: 10_000 })
  victim.kill()
  await victim.join()
  await queue.put(1)
  expect(await queue.get({ timeout: 1000 })).toBe(1)
})

test('a handle travels inside an item', async () => {
  const { Lock } = await import('@mp/sync')
  const queue = new Queue<object>()
  const lock = new Lock()
  await lock.acquire()
  const child = start('spawn', children.releaseReceived, queue)
  await queue.put({ lock })
  expect(await child.join({ timeout: 10_000 })).toBe(0)
  expect(lock.locked).toBe(false)
})

test('a batch wakes as many of those who wait as it has items', async () => {
  const [ready, queue, out, never] = [
    new Queue(),
    new Queue<number>(),
    new Queue<number>(),
    new Queue(),
  ]
  // They stay when they have theirs, for a death would wake the others. The first, which is woken first, blocks; it
  // would look every 100 ms anyway, the others do not.
  for (const passOn of [children.passOneOnSync, children.passOneOn, children.passOneOn]) {
    start('thread', passOn, ready, queue, out, never)
    await ready.get({ timeout: 10_000 })
  }
  await until('all of them wait', () => countWaiting(queue) === 3)
  queue.putManySync([1, 2, 3])
  const got = []
  for (let n = 0; n < 3; n++) got.push(await out.get({ timeout: 5_000 }))
  expect(got.sort((a, b) => a - b)).toEqual([1, 2, 3])
})

/** How many agents stand in line for an item. */
function countWaiting({ session: { words }, handle: { base } }: Queue<number>): number {
  const notEmpty = base + RING_WORDS + 2 * WAIT_SET_WORDS
  const bits = words.subarray(notEmpty, notEmpty + WAIT_SET_WORDS)
  return bits.reduce((sum, word) => sum + word.toString(2).replaceAll('0', '').length, 0)
}
