/**
 * Makes tests of the cases of a group: one for each type, that kills in all operations of it.
 *
 * A run takes a third of the atomics, others each time, by the seed; `KILLS=all` takes them all, as `pnpm kills` does.
 */
import { Bench, type KillCase, chooseSeed } from 'mp-reliability'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

const isAll = process.env['KILLS'] === 'all'
const seed = chooseSeed()
/** One in so many is killed at. */
const PART = isAll ? 1 : 3
const LIMIT_MS = isAll ? 300_000 : 30_000

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
    test(
      `whoever is killed at any step of it, others go on: ${type}`,
      async () => {
        const failures: string[] = []
        for (const [n, one] of ofType.entries()) {
          try {
            await bench.run(one, (k) => (k + n + seed) % PART === 0)
          } catch (error) {
            failures.push(`${(error as Error).stack}\nagain: SEED=${seed}`)
          }
        }
        expect(failures).toEqual([])
      },
      LIMIT_MS,
    )
  }
}

function typeOf({ name }: KillCase): string {
  return name.split(':')[0] ?? ''
}
