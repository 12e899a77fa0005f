/**
 * Order over many messages, of any mix of sizes, between processes and threads.
 *
 * `ORDER_MESSAGES=10000000` takes that many in place of 200,000 (`pnpm test:order`).
 */
import { JoinableQueue, Queue } from '@mp/queue'
import { SharedValue } from '@mp/shared-memory'
import { Lock } from '@mp/sync'
import { expect, test } from 'vitest'
import * as children from './fixtures/ordering.mjs'
import { start } from './start.js'

const MESSAGES = Number(process.env['ORDER_MESSAGES'] ?? 200_000)
/** At least 20,000 messages a second, loaded as the machine may be. */
const LIMIT_MS = Math.max(30_000, MESSAGES / 20)
const WAIT = { timeout: LIMIT_MS }

interface Result {
  seen: Record<string, { count: number; sum: number; squares: number }>
  faults: string[]
}

/** What all consumers together have to have seen of a producer. */
function whole(count: number): Result['seen'][string] {
  let squares = 0
  for (let n = 0; n < count; n++) squares = (squares + n * n) % 1_000_003
  return { count, sum: (count * (count - 1)) / 2, squares }
}

function expectWhole(results: readonly Result[], counts: Record<string, number>): void {
  expect(results.flatMap(({ faults }) => faults)).toEqual([])
  for (const [producer, count] of Object.entries(counts)) {
    const parts = results.flatMap(({ seen }) => seen[producer] ?? [])
    const total = { count: 0, sum: 0, squares: 0 }
    for (const part of parts) {
      total.count += part.count
      total.sum += part.sum
      total.squares = (total.squares + part.squares) % 1_000_003
    }
    expect({ producer, ...total }).toEqual({ producer, ...whole(count) })
  }
}

test(
  'each consumer has the items of each producer in order, and each item comes once',
  async () => {
    const queue = new Queue({ maxBytes: 8_000_000 })
    const results = new Queue<Result>()
    start('spawn', children.consumeSync, queue, results, 1)
    start('thread', children.consumeSync, queue, results, 50)
    start('thread', children.consume, queue, results)
    const share = Math.floor(MESSAGES / 2 / 8)
    const counts = { many: 5 * share, blocking: 2 * share, promises: share }
    const producers = [
      start('spawn', children.produceMany, queue, 'many', counts.many),
      start('thread', children.produceSync, queue, 'blocking', counts.blocking),
      start('spawn', children.produce, queue, 'promises', counts.promises),
    ]
    for (const one of producers) expect(await one.join(WAIT)).toBe(0)
    queue.shutdown()
    expectWhole([await results.get(WAIT), await results.get(WAIT), await results.get(WAIT)], counts)
  },
  LIMIT_MS,
)

test(
  'the order is the same for all: that in which the puts were done',
  async () => {
    const queue = new Queue<number>({ maxBytes: 1_000_000 })
    const [lock, counter] = [new Lock(), new SharedValue('i32')]
    const share = Math.floor(MESSAGES / 4 / 2 / 1.2)
    for (const method of ['spawn', 'thread'] as const) {
      start(method, children.numberThem, queue, lock, counter, share)
    }
    const total = 2 * (share + Math.ceil(share / 5))
    for (let next = 0; next < total;) {
      for (const got of queue.getManySync(100, WAIT)) {
        if (got !== next++) expect(got).toBe(next - 1)
      }
    }
    expect(queue.empty()).toBe(true)
  },
  LIMIT_MS,
)

test(
  'an acknowledged queue keeps the order, too',
  async () => {
    const queue = new JoinableQueue({ acknowledge: true, maxSize: 1_000 })
    const results = new Queue<Result>()
    start('spawn', children.workSync, queue, results)
    start('thread', children.workSync, queue, results)
    const share = Math.floor(MESSAGES / 8)
    const counts = { many: share, blocking: share }
    const producers = [
      start('spawn', children.produceMany, queue, 'many', counts.many),
      start('thread', children.produceSync, queue, 'blocking', counts.blocking),
    ]
    for (const one of producers) expect(await one.join(WAIT)).toBe(0)
    queue.shutdown()
    expect(await queue.join(WAIT)).toBe(true)
    expectWhole([await results.get(WAIT), await results.get(WAIT)], counts)
  },
  LIMIT_MS,
)
