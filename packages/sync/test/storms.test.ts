/** Many agents, processes and threads, that wait in both forms and give up at any moment: the ledger is exact. */
import { Condition, Lock, RLock, RWLock, Semaphore } from '@mp/sync'
import { describe, expect, onTestFailed, test } from 'vitest'
import { type Kind, type RemoteAgent, start, until } from './agents.js'
import { Words } from './fixtures/words.mjs'

const CREW: readonly Kind[] = ['process', 'process', 'thread', 'thread']
const TIMES = 300

async function run(scenario: string, thing: unknown, words: Words): Promise<any[]> {
  const seed = Number(process.env['MP_SEED'] ?? Math.floor(Math.random() * 1e6))
  onTestFailed(() => console.error(`MP_SEED=${seed} repeats the choices of this test`))
  const agents: RemoteAgent[] = []
  for (const [n, kind] of CREW.entries()) {
    agents.push(await start(kind, 'storms.mjs', scenario, thing, words, TIMES, seed + 7919 * n))
  }
  return Promise.all(agents.map((agent) => agent.result))
}

const sum = (numbers: number[]): number => numbers.reduce((total, n) => total + n, 0)

test('aborts and timeouts of many lose no turn at a lock, and make none', async () => {
  const lock = new Lock()
  const words = new Words(4)
  const entered = await run('visits', lock, words)
  expect([words.get(0), words.get(1), words.get(2)]).toEqual([0, sum(entered), 1])
  expect(lock.locked).toBe(false)
})

test('aborts and timeouts of many lose no permit, and make none', async () => {
  const semaphore = new Semaphore(3)
  const words = new Words(4)
  const entered = await run('visits', semaphore, words)
  expect([words.get(0), words.get(1)]).toEqual([0, sum(entered)])
  expect(words.get(2)).toBeLessThanOrEqual(3)
  expect(semaphore.value).toBe(3)
})

test('aborts and timeouts of many neither tear what a read-write lock protects nor leave it held', async () => {
  const lock = new RWLock()
  const words = new Words(4)
  const counts = await run('readsAndWrites', lock, words)
  expect(sum(counts.map(({ torn }) => torn))).toBe(0)
  expect(words.get(0)).toBe(sum(counts.map(({ written }) => written)))
  const guard = lock.write.tryAcquire()
  expect(guard).not.toBeNull()
  guard?.release()
})

test('aborts and timeouts of many lose no notification', async () => {
  const changed = new Condition(new Lock())
  const words = new Words(4)
  const taken = await run('putsAndTakes', changed, words)
  expect(sum(taken) + words.get(0)).toBe((CREW.length * TIMES * 2) / 3)
})

describe.each([
  ['a Lock', () => new Lock()],
  ['an RLock', () => new RLock()],
  ['a Semaphore', () => new Semaphore(1)],
])('at %s that others never stop taking', (_, make) => {
  test.each(['sync', 'async'])(
    'who has waited for 2 ms (%s) is overtaken a few times at most',
    async (form) => {
      const thing = make()
      const words = new Words(5)
      const hogs = []
      for (const kind of ['process', 'thread'] as const) {
        hogs.push(await start(kind, 'storms.mjs', 'overtake', thing, words))
      }
      await until('they are at work', () => words.get(0) > 50)
      const waiter = await start('process', 'storms.mjs', 'beOvertaken', thing, words, form, 100)
      const overtaken: number[] = await waiter.result
      words.set(1, 1)
      await Promise.all(hogs.map((hog) => hog.result))
      // Longer waits say nothing: the waiter did not get a processor while it had right of way.
      expect(overtaken.length).toBeGreaterThan(10)
      // Each of the two that came before it, whoever holds it just then, and those at the clock's edge.
      expect(Math.max(...overtaken)).toBeLessThanOrEqual(6)
    },
  )
})
