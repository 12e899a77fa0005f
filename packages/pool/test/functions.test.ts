/** Functions that are made anew for each task: those that do the same are one, and only those. */
import { createRequire } from 'node:module'
import { dumps, reduceSymbol } from '@mp/pickle'
import { afterEach, expect, test } from 'vitest'
import { report } from '../../process/test/run-program.js'
import { makers } from './fixtures/alike.mjs'
import { makers as hidden } from './fixtures/alike-hidden.mjs'
import { endPools, makePool } from './make-pool.js'

afterEach(endPools)

const { makers: sloppy } = createRequire(import.meta.url)('./fixtures/alike-sloppy.cjs') as {
  makers: typeof makers & { count: () => () => number }
}

const textOf = (fn: unknown): string => Function.prototype.toString.call(fn)

test('of those that only look the same, each does its own', async () => {
  const pool = makePool(1)
  expect(textOf(hidden.root())).toBe(textOf(makers.root()))
  expect(textOf(sloppy.write())).toBe(textOf(makers.write()))
  expect(textOf(sloppy.cut())).toBe(textOf(makers.cut()))
  for (let round = 0; round < 3; round++) {
    expect(await pool.apply(makers.root(), [9])).toBe(3)
    expect(await pool.apply(hidden.root(), [9])).toBe(-9)
    await expect(pool.apply(makers.write(), ['abc'])).rejects.toThrow(TypeError)
    expect(await pool.apply(sloppy.write(), ['abc'])).toBe('written')
    await expect(pool.apply(makers.cut(), ['abc'])).rejects.toThrow(TypeError)
    expect(await pool.apply(sloppy.cut(), ['abc'])).toBe('cut')
  }
})

test('those that only look the same keep their imports when a worker sends them on', async () => {
  const results = await report(new URL('fixtures/sent-on.mjs', import.meta.url))
  expect(results).toEqual([...Array(6).fill('one'), ...Array(6).fill('two')])
})

test('what they captured is their own', async () => {
  const pool = makePool(1)
  let last = 0
  const lastOne = (): number => last
  for (let n = 0; n < 20; n++) {
    last = n
    const all = [
      pool.apply(makers.times(n), [3]),
      pool.apply(() => n),
      pool.apply(lastOne),
      pool.apply(() => last),
    ]
    last = -1
    expect(await Promise.all(all)).toEqual([n * 3, n, n, n])
  }
})

test('they are told by their names, and by what was added to them', async () => {
  const pool = makePool(1)
  const forever = () => (): void => {
    for (let i = 0; ; i++);
  }
  const named = { stuck: forever() }.stuck
  Object.defineProperty(named, 'name', { value: 'stuck' })
  for (let round = 0; round < 2; round++) {
    await expect(pool.apply(forever(), [], { timeout: 50 })).rejects.toThrow(
      /^an anonymous function/,
    )
    await expect(pool.apply(named, [], { timeout: 50 })).rejects.toThrow(/^stuck/)
  }
  const tripled = Object.assign(makers.double(), {
    [reduceSymbol]: () => ({ revive: (factor: number) => (x: number) => x * factor, args: [3] }),
  })
  expect(dumps(tripled)).not.toEqual(dumps(makers.double()))
  for (let round = 0; round < 2; round++) {
    expect(await pool.apply(makers.double(), [2])).toBe(4)
    expect(await pool.apply(tripled, [2])).toBe(6)
  }
})

test('what a function keeps for itself is not for those that are made like it', async () => {
  const pool = makePool(1)
  const calls = Array.from({ length: 5 }, () =>
    pool.apply(function count(): number {
      const self = count as { n?: number }
      return (self.n = (self.n ?? 0) + 1)
    }),
  )
  expect(await Promise.all(calls)).toEqual([1, 1, 1, 1, 1])
  const sloppily = Array.from({ length: 5 }, () => pool.apply(sloppy.count()))
  expect(await Promise.all(sloppily)).toEqual([1, 1, 1, 1, 1])
})

test('one that was let go of is sent again', async () => {
  const pool = makePool(1)
  for (let round = 0; round < 3; round++) {
    expect(await pool.apply(makers.double(), [round])).toBe(2 * round)
    expect(await pool.apply(makers.root(), [round * round])).toBe(round)
    for (let n = 0; n < 70; n++) expect(await pool.apply(makers.times(n), [3])).toBe(n * 3)
  }
})

test('what is put on a function later is there, also on one that another captured', async () => {
  const pool = makePool(1)
  const told: { (): unknown; count?: number } = () => told.count
  const tells = (): unknown => told()
  for (const count of [undefined, 7, 8]) {
    if (count !== undefined) told.count = count
    expect(await pool.apply(told)).toBe(count)
    expect(await pool.apply(tells)).toBe(count)
    expect(await pool.apply((fn: typeof told) => fn(), [told])).toBe(count)
  }
})
