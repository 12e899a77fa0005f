/**
 * The forms of call, beyond what `pool.test.ts` shows of each: inputs, chunks, outcomes, types.
 */
import { type AsyncResult, Pool } from '@mp/pool'
import type { Lease } from '@mp/queue'
import { afterEach, expect, expectTypeOf, test } from 'vitest'
import * as tasks from './fixtures/tasks.mjs'
import { endPools, makePool } from './make-pool.js'

afterEach(endPools)

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

async function* later<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) {
    await new Promise((resolve) => setImmediate(resolve))
    yield item
  }
}

test('items may be any iterable or async iterable', async () => {
  const pool = makePool(2)
  const squares = numbers(20).map((n) => n * n)
  expect(await pool.map(tasks.square, later(numbers(20)))).toEqual(squares)
  expect(await pool.map(tasks.square, new Set(numbers(20)))).toEqual(squares)
  expect(await pool.map(tasks.square, Float64Array.from(numbers(20)))).toEqual(squares)
  expect(await pool.starmap(tasks.add, new Map([[1, 2]]))).toEqual([3])
  const got = []
  for await (const n of pool.imapUnordered(tasks.square, later(numbers(20)), { chunkSize: 3 }))
    got.push(n)
  expect(got.toSorted((a, b) => a - b)).toEqual(squares)
  expect(pool.starmapSync(tasks.add, [[1, 2]])).toEqual([3])
})

test('chunks find their own size', async () => {
  const pool = makePool(2)
  const all = numbers(5000)
  const squares = all.map((n) => n * n)
  expect(await pool.map(tasks.square, all, { chunkSize: 'auto' })).toEqual(squares)
  const { submitted } = pool.stats().tasks
  expect(submitted).toBeGreaterThan(2)
  expect(submitted).toBeLessThan(100)
  const got = []
  for await (const n of pool.imap(tasks.square, all, { chunkSize: 'auto' })) got.push(n)
  expect(got).toEqual(squares)
  await expect(pool.map(tasks.square, all, { chunkSize: 'big' as never })).rejects.toThrow(/auto/)
})

test('by default each worker takes four chunks', async () => {
  const pool = makePool(3)
  await pool.map(tasks.square, numbers(1200))
  expect(pool.stats().tasks.submitted).toBe(12)
})

test('outcomes can be collected', async () => {
  const pool = makePool(2)
  const outcomes = await pool.map(tasks.evenOnly, [0, 1, 2], { settle: true })
  expect(outcomes).toMatchObject([
    { status: 'fulfilled', value: 0 },
    { status: 'rejected', reason: { message: '1 is odd', n: 1 } },
    { status: 'fulfilled', value: 2 },
  ])
  const sum = [{ status: 'fulfilled', value: 3 }]
  expect(await pool.starmap(tasks.add, [[1, 2]], { settle: true })).toEqual(sum)
  expect(pool.starmapSync(tasks.add, [[1, 2]], { settle: true })).toEqual(sum)
})

test('a map rejects with the first error, before the others are done', async () => {
  const pool = makePool(2)
  await expect(pool.map(tasks.failOrWait, [60_000, -1], { chunkSize: 1 })).rejects.toThrow(
    'the first',
  )
})

test('an error has the stack of the worker and of the call', async () => {
  const pool = makePool(1)
  const callOdd = (): Promise<unknown> => pool.apply(tasks.evenOnly, [3])
  const error = (await callOdd().catch((reason: unknown) => reason)) as Error
  expect(error.stack).toMatch(/at evenOnly .*tasks\.mjs[^]*at callOdd .*forms\.test\.ts/)
  const mapOdd = (): Promise<unknown> => pool.map(tasks.evenOnly, [3])
  const other = (await mapOdd().catch((reason: unknown) => reason)) as Error
  expect(other.stack).toMatch(/at evenOnly .*tasks\.mjs[^]*at mapOdd .*forms\.test\.ts/)
})

test('calls and results are typed by the function', () => {
  // What counts here is that this compiles, and that each `@ts-expect-error` has an error.
  const check = (pool: Pool): void => {
    const length = (text: string): number => text.length
    const soon = async (n: number): Promise<string> => String(n)
    expectTypeOf(pool.apply(length, ['x'])).toEqualTypeOf<Promise<number>>()
    expectTypeOf(pool.apply(soon, [1])).toEqualTypeOf<Promise<string>>()
    expectTypeOf(pool.applySync(soon, [1])).toEqualTypeOf<string>()
    expectTypeOf(pool.applyAsync(length, ['x'])).toEqualTypeOf<AsyncResult<number>>()
    expectTypeOf(pool.apply(soon, [1], { lease: true })).toEqualTypeOf<Promise<Lease<string>>>()
    expectTypeOf(pool.map(length, ['a'])).toEqualTypeOf<Promise<number[]>>()
    expectTypeOf(pool.map(soon, new Set([1]))).toEqualTypeOf<Promise<string[]>>()
    expectTypeOf(pool.map(length, ['a'], { settle: true })).toEqualTypeOf<
      Promise<PromiseSettledResult<number>[]>
    >()
    expectTypeOf(pool.map((n: number) => [n], later([1]))).toEqualTypeOf<Promise<number[][]>>()
    expectTypeOf(pool.starmap((a: number, b: string) => a + b, [[1, 'x']])).toEqualTypeOf<
      Promise<string[]>
    >()
    expectTypeOf(
      pool.starmapSync((a: number, b: string) => a + b, [[1, 'x']], { settle: true }),
    ).toEqualTypeOf<PromiseSettledResult<string>[]>()
    expectTypeOf(pool.imap(soon, [1])).toEqualTypeOf<AsyncIterableIterator<string>>()
    expectTypeOf(pool.share({ a: 1 })).toEqualTypeOf<{ a: number }>()
    // @ts-expect-error a string is wanted
    void pool.apply(length, [1])
    // @ts-expect-error the argument is missing
    void pool.apply(length, [])
    // @ts-expect-error strings are wanted
    void pool.map(length, [1])
  }
  expect(check).toBeTypeOf('function')
  expect(Pool).toBeTypeOf('function')
})
