/**
 * Makes tests of the cases of a group: one for each type, that kills in all operations of it.
 *
 * A run takes a third of the atomics, others each time, by the seed, and as many of them as its time allows, the
 * operations in an order of the seed, too. `KILLS=all` takes them all, as `pnpm kills` does.
 */
import { Random, chooseSeed } from 'mp-internal'
import { Bench, type KillCase } from 'mp-reliability'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

const isAll = process.env['KILLS'] === 'all'
const seed = chooseSeed()
/** One in so many is killed at. */
const PART = isAll ? 1 : 3
const LIMIT_MS = isAll ? 600_000 : 30_000
/** After so long no other victim is taken, in milliseconds. */
const ENOUGH_MS = isAll ? Infinity : 12_000

export function testGroup(cases: readonly KillCase[]): void {
  let bench: Bench

  beforeAll(async () => {
    bench = await Bench.start({ counted: 'changes', ahead: 2 })
  })
  // Those that are started ahead are not to be found by the check for leaks.
  afterEach(() => bench.drain())
  afterAll(() => bench.end())

  for (const type of new Set(cases.map(typeOf))) {
    const ofType = cases.filter((one) => typeOf(one) === type)
    test(`whoever is killed at any step, others go on: ${type}`, () => kill(ofType), LIMIT_MS)
  }

  async function kill(ofType: readonly KillCase[]): Promise<void> {
    const random = new Random(seed)
    const order = ofType.map((one, n) => ({ one, n, at: random.next() }))
    const isLate = timer(ENOUGH_MS)
    const failures: string[] = []
    let kills = 0
    for (const { one, n } of order.toSorted((a, b) => a.at - b.at)) {
      try {
        kills += (await bench.run(one, (k) => (k + n + seed) % PART === 0, isLate)).kills
      } catch (error) {
        failures.push(`${(error as Error).stack}\nagain: SEED=${seed}`)
      }
    }
    expect(failures).toEqual([])
    expect(kills).toBeGreaterThan(0)
  }
}

function timer(milliseconds: number): () => boolean {
  const end = performance.now() + milliseconds
  return () => performance.now() > end
}

function typeOf({ name }: KillCase): string {
  return name.split(':')[0] ?? ''
}
