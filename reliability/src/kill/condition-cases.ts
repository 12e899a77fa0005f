/**
 * Deaths in a `Condition`: of a waiter, of a notifier, of the holder of the lock.
 *
 * What is waited for are tokens: who has been let go takes one. A lost notification leaves a token and a waiter.
 *
 * @module
 */
import { SharedArray } from '@mp/shared-memory'
import { Condition, Lock, RLock } from '@mp/sync'
import { type Form, type KillCase, type Round, type Running, assert } from './case.js'

interface Objects {
  condition: Condition
  tokens: SharedArray<Int32Array>
}

/** Longer than anything may take. */
const LIMIT_MS = 5_000

/** Waits for a token and takes it. */
async function consume({ condition, tokens }: Objects, form: Form): Promise<void> {
  const options = { timeout: LIMIT_MS }
  const isThere = (): boolean => tokens.array[0] > 0
  const guard = form === 'sync' ? condition.acquireSync(options) : await condition.acquire(options)
  if (guard === null) throw new Error('the lock could not be acquired')
  const isLet =
    form === 'sync'
      ? condition.waitForSync(isThere, options)
      : await condition.waitFor(isThere, options)
  if (!isLet) throw new Error('there was no token')
  tokens.array[0] = tokens.array[0] - 1
  guard.release()
}

/** This process puts two tokens there, and lets two waiters go. */
async function produce(
  round: Round<Objects>,
  notify: (condition: Condition) => void,
): Promise<void> {
  const { condition, tokens } = round.objects
  const guard = await condition.acquire({ timeout: LIMIT_MS })
  assert(guard !== null, 'this process could not acquire the lock')
  tokens.array[0] = 2
  notify(condition)
  guard.release()
  round.freed()
}

async function beginConsumers(round: Round<Objects>): Promise<Running[]> {
  const runs = round.others.map((who) => round.begin(who, 'consume'))
  for (const run of runs) await round.waits(run, round.objects.condition)
  return runs
}

/** It works as if the victim had never been. */
async function check(round: Round<Objects>): Promise<void> {
  const { tokens } = round.objects
  assert(tokens.array[0] === 0, `${tokens.array[0]} tokens are left`)
  const runs = await beginConsumers(round)
  await produce(round, (condition) => condition.notify(2))
  for (const run of runs) await round.settled(run)
  assert(tokens.array[0] === 0, `${tokens.array[0]} tokens are left in the end`)
}

const aborted = new Error('aborted')

/** What a victim does that waits. It holds the lock before and after. */
const waits: Readonly<Record<string, (condition: Condition) => unknown>> = {
  waitSync: (condition) => condition.waitSync(),
  wait: (condition) => condition.wait(),
  'waitSync that times out': (condition) => condition.waitSync({ timeout: 5 }),
  'wait that times out': (condition) => condition.wait({ timeout: 5 }),
  async 'wait that is aborted'(condition) {
    const controller = new AbortController()
    setTimeout(() => controller.abort(aborted), 4)
    try {
      await condition.wait({ signal: controller.signal })
    } catch (error) {
      if (error !== aborted) throw error
    }
  },
}

/** The victim waits first, so that it gets the first notification; the other waiters must get theirs all the same. */
function waiter(name: string, make: () => Condition): KillCase<Objects> {
  const [, what = ''] = name.split(': ')
  return {
    name,
    make: () => ({ condition: make(), tokens: new SharedArray(Int32Array, 1) }),
    prepare: ({ condition }) => condition.acquireSync(),
    operate: ({ condition }) => waits[what]?.(condition),
    acts: { consume },
    async play(round) {
      round.go()
      await round.victimWaitsOrDies()
      const runs = await beginConsumers(round)
      await produce(round, (condition) => condition.notify(2))
      await round.death()
      for (const run of runs) await round.settled(run)
      await check(round)
    },
  }
}

/** What a victim does that holds the lock while others wait, with the tokens there. */
const notifies: Readonly<Record<string, (condition: Condition) => void>> = {
  notify(condition) {
    condition.notify()
    condition.notify()
    condition.release()
  },
  notifyAll(condition) {
    condition.notifyAll()
    condition.release()
  },
}

/** Whatever the victim has got done, those who wait go on: it had told, or it died holding the lock. */
function notifier(name: string, make: () => Condition): KillCase<Objects> {
  const [, what = ''] = name.split(': ')
  return {
    name,
    make: () => ({ condition: make(), tokens: new SharedArray(Int32Array, 1) }),
    operate({ condition, tokens }) {
      condition.acquireSync()
      tokens.array[0] = 2
      notifies[what]?.(condition)
    },
    acts: { consume },
    async play(round) {
      const { tokens } = round.objects
      const runs = await beginConsumers(round)
      round.go()
      await round.death()
      // It may have died before it had put the tokens there.
      if (!round.ended && tokens.array[0] === 0) {
        if (!(await round.isSettled(runs[0], 50))) {
          await produce(round, (condition) => condition.notifyAll())
        }
      }
      for (const run of runs) await round.settled(run)
      await check(round)
    },
  }
}

const makers: Readonly<Record<string, () => Condition>> = {
  Condition: () => new Condition(new RLock()),
  'Condition over a Lock': () => new Condition(new Lock()),
}

export const conditionCases: readonly KillCase<Objects>[] = Object.entries(makers).flatMap(
  ([kind, make]) => [
    ...Object.keys(waits).map((what) => waiter(`${kind}: ${what}`, make)),
    ...Object.keys(notifies).map((what) => notifier(`${kind}: ${what}`, make)),
  ],
)
