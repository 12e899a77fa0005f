import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { JoinableQueue, type Lease, Loan, Queue, QueueEmptyError } from '@mp/queue'
import type { StartMethod } from '@mp/process'
import { session } from '@mp/shared-memory/internal'
import { isBareRun, ways } from 'mp-internal'
import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import * as children from './fixtures/leases.mjs'
import { ownPagesHold, pagesInUse, pagesOf } from './memory.js'
import { start } from './start.js'

interface Frame {
  name: string
  pixels: Float64Array<ArrayBuffer>
}

const LONG = 1_000_000
const SHORT = 100
let before = 0

beforeEach(() => {
  before = pagesInUse()
})

/** A queue with one item in it, and what pages the session has with the queue empty. */
function queueWith<T>(item: T): Queue<T> {
  const queue = new Queue<T>()
  queue.putSync(item)
  queue.getSync()
  before = pagesInUse()
  queue.putSync(item)
  return queue
}

/** Quick, unlike an assertion about each element. */
function isSame(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
    Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
  return a.constructor === b.constructor && bytes(a).equals(bytes(b))
}

function frame(length: number): Frame {
  return { name: 'a frame', pixels: Float64Array.from({ length }, (_, n) => n / 3) }
}

describe('a lease', () => {
  test.each([SHORT, LONG])('of %i numbers shows the item until it is released', async (length) => {
    const queue = queueWith(frame(length))
    const lease = await queue.get({ lease: true })
    expectTypeOf(lease).toEqualTypeOf<Lease<Frame>>()
    const { value } = lease
    expect(value.name).toBe('a frame')
    expect(isSame(value.pixels, frame(length).pixels)).toBe(true)
    expect(value.pixels.byteOffset).toBe(0)
    expect(value.pixels.buffer.byteLength).toBe(length * 8)
    lease.release()
    expect(lease.released).toBe(true)
    expect(() => lease.value).toThrow(expect.objectContaining({ code: 'ERR_MP_RELEASED' }))
    expect(value.pixels.length).toBe(0)
    expect(value.pixels[0]).toBeUndefined()
    expect(value.pixels.buffer.byteLength).toBe(0)
    expect(() => value.pixels.fill(1)).toThrow(TypeError)
    expect(() => new Uint8Array(value.pixels.buffer)).toThrow(TypeError)
    lease.release()
    expect(pagesInUse()).toBe(before)
  })

  test.skipIf(isBareRun)('shows a long item where it lies, for the reader alone', () => {
    const queue = queueWith(frame(LONG))
    const lease = queue.getSync({ lease: true })
    const { pixels } = lease.value
    const pattern = Uint8Array.from({ length: 64 }, (_, n) => (n * 37 + 11) & 0xff)
    expect(ownPagesHold(pattern)).toBe(false)
    new Uint8Array(pixels.buffer).set(pattern, 80_000)
    expect(ownPagesHold(pattern)).toBe(true)
    queue.putSync(frame(LONG))
    expect(isSame(queue.getSync().pixels, frame(LONG).pixels)).toBe(true)
    expect(new Uint8Array(pixels.buffer, 80_000, 64)).toEqual(pattern)
    lease.release()
  })

  test('keeps which arrays share a buffer, and all kinds of views', () => {
    const bytes = new Uint8Array(200_000).map((_, n) => n)
    const item = {
      whole: bytes,
      part: new Uint16Array(bytes.buffer, 100_000, 20_000),
      buffer: bytes.buffer,
      view: new DataView(new ArrayBuffer(50_000)),
      node: Buffer.alloc(100_000, 7),
      text: 'x'.repeat(100_000),
      big: new BigInt64Array(30_000).fill(-5n),
      few: new Uint8Array([1, 2, 3]),
    }
    const queue = queueWith(item)
    const lease = queue.getSync({ lease: true })
    const { value } = lease
    for (const key of ['whole', 'part', 'view', 'node', 'big', 'few'] as const) {
      expect([key, isSame(value[key], item[key])]).toEqual([key, true])
    }
    expect(value.text === item.text).toBe(true)
    expect(value.whole.buffer).toBe(value.buffer)
    expect(value.part.buffer).toBe(value.buffer)
    lease.release()
    expect([value.part.length, value.big.length, value.few.length, value.node.length]).toEqual([
      0, 0, 0, 0,
    ])
    expect(value.text.length).toBe(100_000)
    expect(pagesInUse()).toBe(before)
  })

  test('lives on when the queue ends, and others use its memory only afterwards', () => {
    const queue = new Queue<Uint8Array>()
    queue.putSync(new Uint8Array(LONG).fill(1))
    const lease = queue.getSync({ lease: true })
    queue.close()
    const other = new Queue<Uint8Array>()
    for (let n = 0; n < 20; n++) other.putSync(new Uint8Array(LONG).fill(2))
    expect(lease.value.every((byte) => byte === 1)).toBe(true)
    lease.release()
    other.close()
    expect(pagesInUse()).toBe(before)
  })

  test('waits, times out and ends at shutdown as any get does', async () => {
    const queue = new Queue<Uint8Array>()
    expect(() => queue.getSync({ lease: true, timeout: 5 })).toThrow(QueueEmptyError)
    await expect(queue.get({ lease: true, block: false })).rejects.toThrow(QueueEmptyError)
    const waiting = queue.get({ lease: true })
    queue.putSync(new Uint8Array(LONG).fill(9))
    const lease = await waiting
    expect(lease.value[LONG - 1]).toBe(9)
    lease[Symbol.dispose]()
    await expect(queue.get({ lease: 1 as never })).rejects.toThrow(/Expected `lease`/)
    queue.shutdown()
    await expect(queue.get({ lease: true })).rejects.toMatchObject({
      code: 'ERR_MP_QUEUE_SHUT_DOWN',
    })
    queue.close()
    expect(pagesInUse()).toBe(before)
  })

  test('is not sent, only its value', () => {
    const queue = queueWith<unknown>(new Uint8Array(LONG))
    const lease = queue.getSync({ lease: true })
    expect(() => queue.putSync({ lease })).toThrow(/stays in the process/)
    queue.putSync(lease.value)
    lease.release()
    expect((queue.getSync() as Uint8Array).length).toBe(LONG)
  })

  test('of what cannot be decoded is not there, and leaves nothing', async () => {
    const queue = queueWith<unknown>(new Uint8Array(LONG))
    queue.getSync()
    queue.putSync({ bytes: new Uint8Array(LONG), at: Unrevivable.make() })
    expect(() => queue.getSync({ lease: true })).toThrow('never arrives')
    queue.putSync({ bytes: new Uint8Array(LONG), at: Unrevivable.make() })
    await expect(queue.get({ lease: true })).rejects.toThrow('never arrives')
    expect(pagesInUse()).toBe(before)
  })

  test('counts as taken in a queue that is joined', async () => {
    const queue = new JoinableQueue<Uint8Array>()
    await queue.put(new Uint8Array(LONG))
    const lease = await queue.get({ lease: true })
    queue.taskDone()
    expect(await queue.join({ timeout: 0 })).toBe(true)
    expect(lease.value.length).toBe(LONG)
    lease.release()
  })
})

/** Can be sent and not be received. */
class Unrevivable {
  static make(): object {
    return { [Symbol.for('@mp/pickle.reduce')]: () => ({ revive: refuse, args: [] }) }
  }
}

function refuse(): never {
  throw new Error('never arrives')
}

describe('a loan', () => {
  test.each([0, SHORT, 16_380, 20_000, LONG])(
    'of %i bytes is the item that was filled',
    async (length) => {
      const queue = queueWith(new Uint8Array(1))
      queue.getSync()
      const loan = queue.allocate(length)
      expect(loan).toBeInstanceOf(Loan)
      const { bytes } = loan
      expect([loan.byteLength, bytes.length]).toEqual([length, length])
      bytes.forEach((_, n) => (bytes[n] = n * 7))
      await queue.put(loan)
      expect(bytes.length).toBe(0)
      expect(loan.released).toBe(true)
      expect(() => loan.bytes).toThrow(expect.objectContaining({ code: 'ERR_MP_RELEASED' }))
      expect(() => queue.putSync(loan)).toThrow(
        expect.objectContaining({ code: 'ERR_MP_RELEASED' }),
      )
      loan.release()
      expect(
        isSame(
          queue.getSync(),
          Uint8Array.from({ length }, (_, n) => n * 7),
        ),
      ).toBe(true)
      expect(queue.qsize()).toBe(0)
      expect(pagesInUse()).toBe(before)
    },
  )

  test('can be filled through any typed array', () => {
    const queue = new Queue<Uint8Array<ArrayBuffer>>()
    const loan = queue.allocate(8 * LONG)
    new Float64Array(loan.bytes.buffer).fill(1.5)
    queue.putSync(loan)
    const lease = queue.getSync({ lease: true })
    expect(new Float64Array(lease.value.buffer).every((number) => number === 1.5)).toBe(true)
    lease.release()
  })

  test.skipIf(isBareRun)('is given back by release, and by disposal', () => {
    const queue = new Queue()
    const loan = queue.allocate(LONG)
    const { bytes } = loan
    expect(pagesInUse()).toBeGreaterThan(before)
    loan.release()
    loan.release()
    queue.allocate(LONG)[Symbol.dispose]()
    expect(bytes.length).toBe(0)
    expect(pagesInUse()).toBe(before)
  })

  test.each([SHORT, LONG])('of %i bytes that was not put is there again', async (length) => {
    const queue = new Queue<Uint8Array>(1)
    queue.putSync(new Uint8Array(1))
    const loan = queue.allocate(length)
    loan.bytes.fill(3)
    expect(() => queue.putSync(loan, { timeout: 5 })).toThrow(
      expect.objectContaining({ code: 'ERR_MP_QUEUE_FULL' }),
    )
    expect(queue.tryPut(loan)).toBe(false)
    expect(loan.bytes.every((byte) => byte === 3)).toBe(true)
    const abort = new AbortController()
    const put = queue.put(loan, { signal: abort.signal })
    expect(() => loan.bytes).toThrow(expect.objectContaining({ code: 'ERR_MP_RELEASED' }))
    expect(() => queue.tryPut(loan)).toThrow(expect.objectContaining({ code: 'ERR_MP_RELEASED' }))
    abort.abort(new Error('enough'))
    await expect(put).rejects.toThrow('enough')
    loan.bytes[0] = 4
    queue.getSync()
    queue.putSync(loan)
    expect(queue.getSync().slice(0, 2)).toEqual(new Uint8Array([4, 3]))
  })

  test('goes in a batch, all or none', () => {
    const queue = new Queue<Uint8Array | string>(3)
    const loans = [queue.allocate(LONG), queue.allocate(SHORT)]
    for (const loan of loans) loan.bytes.fill(5)
    expect(() => queue.putManySync([...loans, 'a', 'b'], { block: false })).toThrow(RangeError)
    expect(() => queue.putManySync([loans[0], loans[0]])).toThrow(/sent or released/)
    queue.putManySync([...loans, 'a'])
    expect(loans.map(({ released }) => released)).toEqual([true, true])
    expect([queue.getSync().length, queue.getSync().length, queue.getSync()]).toEqual([
      LONG,
      SHORT,
      'a',
    ])
  })

  test('is an item by itself, of a queue', async () => {
    const { Pipe } = await import('@mp/pipe')
    const queue = new Queue()
    using loan = queue.allocate(LONG)
    expect(() => queue.putSync({ loan })).toThrow(/by itself/)
    const [a, b] = Pipe()
    expect(() => a.sendBytesSync(loan)).toThrow(/loan of a connection/)
    using other = a.allocate(LONG)
    expect(() => queue.putSync(other)).toThrow(/loan of a queue/)
    expect(other.bytes.length).toBe(LONG)
    a.close()
    b.close()
    expect(() => queue.allocate(-1)).toThrow(/byteLength/)
    queue.close()
    expect(() => queue.allocate(1)).toThrow(expect.objectContaining({ code: 'ERR_MP_CLOSED' }))
  })

  test('is refused where its item has another type', () => {
    const queue = new Queue<number>()
    // @ts-expect-error a loan is a Uint8Array, which is no number
    queue.tryPut(queue.allocate(1))
    // @ts-expect-error the same
    void (() => queue.put(queue.allocate(1)))
  })
})

test.skipIf(isBareRun)(
  'what nobody can reach is collected, and what is transferred stays its holder’s',
  async () => {
    const program = fileURLToPath(new URL('fixtures/collected-leases.mjs', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program], {
      timeout: 20_000,
    })
    expect(JSON.parse(stdout)).toEqual({
      forgotten: 0,
      viewKept: 31,
      viewGone: 0,
      transferred: 'ok',
    })
  },
)

describe.each(ways<StartMethod>('spawn', 'thread'))('with %s', (method) => {
  test('leases and loans carry items both ways', async () => {
    const queue = new Queue<Uint8Array>()
    const sums = new Queue<Uint8Array<ArrayBuffer>>()
    const sizes = [0, 1, 16_000, 20_000, 65_536, 300_000, LONG, 5, 5_000_000, 70_000]
    const child = start(method, children.sumLeases, queue, sums, sizes.length)
    for (const size of sizes) await queue.put(new Uint8Array(size).fill(size % 251))
    for (const size of sizes) {
      using lease = await sums.get({ lease: true, timeout: 10_000 })
      expect(new Float64Array(lease.value.buffer)[0]).toBe(size * (size % 251))
    }
    expect(await child.join({ timeout: 10_000 })).toBe(0)
  })

  test.skipIf(isBareRun)('the pages of a lease come back when its holder is killed', async () => {
    const queue = new Queue<Uint8Array>()
    const seen = new Queue<{ tag: number; length: number; last: number }>()
    queue.putSync(new Uint8Array(LONG).fill(8))
    const child = start(method, children.keepLease, queue, seen)
    const { tag, length, last } = await seen.get({ timeout: 10_000 })
    expect([length, last]).toEqual([LONG, 8])
    expect(pagesOf(tag)).toBe(16)
    child.kill()
    await child.join()
    session().reaper.reapAll()
    expect(pagesOf(tag)).toBe(0)
    queue.putSync(new Uint8Array(LONG).fill(1))
    expect(queue.getSync()[LONG - 1]).toBe(1)
  })

  test.skipIf(isBareRun)('a lease outlives its queue until its holder is killed', async () => {
    const queue = new Queue<Uint8Array>()
    const seen = new Queue<{ tag: number }>()
    queue.putSync(new Uint8Array(LONG))
    const child = start(method, children.keepLease, queue, seen)
    const { tag } = await seen.get({ timeout: 10_000 })
    queue.close()
    expect(pagesOf(tag)).toBe(16)
    child.kill()
    await child.join()
    session().reaper.reapAll()
    expect(pagesOf(tag)).toBe(0)
  })

  test.skipIf(isBareRun)(
    'the pages of loans come back when their holder is killed; what it has put stays',
    async () => {
      const queue = new Queue<Uint8Array>()
      const seen = new Queue<{ tag: number; released: boolean[] }>()
      const child = start(method, children.keepLoans, queue, seen, LONG)
      const { tag, released } = await seen.get({ timeout: 10_000 })
      expect(released).toEqual([true, false, false])
      expect(pagesOf(tag)).toBe(32)
      child.kill()
      await child.join()
      session().reaper.reapAll()
      expect(pagesOf(tag)).toBe(0)
      expect(queue.getSync().every((byte) => byte === 1)).toBe(true)
    },
  )
})
