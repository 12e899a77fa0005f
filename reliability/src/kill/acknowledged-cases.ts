/**
 * Deaths in an acknowledged `JoinableQueue`: what was put is done exactly once by somebody who lives; whoever had it
 * and died leaves it to others; `join` ends when all is done, and not before.
 *
 * @module
 */
import { JoinableQueue, type QueueTask } from '@mp/queue'
import { type Form, type KillCase, type Round, assert } from './case.js'
import { sorted } from '../sorted.js'

interface Objects {
  queue: JoinableQueue
}

type Use = (queue: JoinableQueue) => unknown

/** Longer than anything may take. */
const LIMIT_MS = 5_000
/** Pages are of 64 KiB, and messages longer than 16 KiB get their own. */
const SMALL = 8
const MIDDLE = 15_000
const LONG = 40_000

const item = (n: number, length: number): string => `${n} ${'x'.repeat(length)}`

function numberOf({ value }: QueueTask<unknown>): number {
  const text = String(value)
  const n = Number(text.split(' ')[0])
  const isWhole = [SMALL, MIDDLE, LONG].some((length) => text === item(n, length))
  assert(isWhole, `a torn item came out: ${text.slice(0, 40)}, ${text.length} characters`)
  return n
}

/** Takes an item and does it. */
async function work({ queue }: Objects, form: Form): Promise<number> {
  const options = { timeout: LIMIT_MS }
  const task = form === 'sync' ? queue.getTaskSync(options) : await queue.getTask(options)
  const n = numberOf(task)
  task.done()
  return n
}

async function join({ queue }: Objects, form: Form): Promise<boolean> {
  const options = { timeout: LIMIT_MS }
  return form === 'sync' ? queue.joinSync(options) : queue.join(options)
}

const acts = { work, join }

/** Takes and does all that is not done, also what the dead have had; gives which items had been delivered before. */
function drain(queue: JoinableQueue): { done: number[]; again: number[] } {
  const done: number[] = []
  const again: number[] = []
  while (!queue.joinSync({ timeout: 0 })) {
    const task = queue.getTaskSync({ timeout: LIMIT_MS })
    const n = numberOf(task)
    done.push(n)
    if (task.redelivered > 0) again.push(n)
    task.done()
  }
  return { done, again }
}

/** It works as if the victim had never been, and nothing is left to be done. */
async function check(round: Round<Objects>): Promise<void> {
  const { queue } = round.objects
  assert(queue.empty(), 'it is not empty')
  assert(queue.joinSync({ timeout: 0 }), 'something is not done')
  const runs = round.others.map((who) => round.begin(who, 'work'))
  for (const run of runs) await round.waits(run, queue)
  queue.putManySync([item(1, LONG), item(2, MIDDLE), item(3, SMALL)], { timeout: LIMIT_MS })
  round.freed()
  const got: number[] = []
  for (const run of runs) got.push((await round.settled(run)) as number)
  got.push(...drain(queue).done)
  assert(sorted(got) === '1,2,3', `in the end ${got.join()} came out of 1,2,3`)
  assert(queue.joinSync({ timeout: 0 }), 'in the end something is not done')
}

/** One queue for all rounds of a case: all is done after each. */
function always(): () => Objects {
  let queue: JoinableQueue | undefined
  return () => ({ queue: (queue ??= new JoinableQueue({ acknowledge: true })) })
}

interface Told {
  readonly length?: number
  readonly count?: number
  /** How many of the first items the operation does, and how many it takes. */
  readonly does: number
  readonly takes: number
  readonly afterCorpse?: boolean
  readonly prepare?: Use
  /** How many items victims take before, each. */
  readonly prepared?: number
}

/** The victim works; what it has not done is done by this process. */
function works(what: string, operate: Use, told: Told): KillCase<Objects> {
  const { length = SMALL, count = 3, does, takes, afterCorpse = false } = told
  const numbers = Array.from({ length: count }, (_, n) => n + 1)
  const objects = always()
  return {
    name: `Acknowledged: ${what}`,
    make: () => {
      const { queue } = objects()
      for (const n of numbers) queue.putSync(item(n, length))
      return { queue }
    },
    ...(told.prepare === undefined
      ? {}
      : { prepare: ({ queue }: Objects) => told.prepare?.(queue) }),
    operate: ({ queue }) => operate(queue),
    afterCorpse,
    acts,
    async play(round) {
      const { queue } = round.objects
      round.go()
      await round.death()
      const { done, again } = drain(queue)
      const all = numbers.join()
      const isInOrder = done.every((n) => numbers.includes(n)) && new Set(done).size === done.length
      assert(isInOrder, `${done.join()} came of ${all}`)
      const missing = numbers.filter((n) => !done.includes(n))
      assert(missing.length <= does, `${missing.join()} of ${all} are lost`)
      const most = takes + (told.prepared ?? 0) * (afterCorpse ? 2 : 1)
      assert(again.length <= most, `${again.join()} came again`)
      if (round.ended) {
        assert(missing.length === does, `of ${all} came ${done.join()} after all was done`)
        assert(again.length === most - does, `of ${done.join()} only ${again.join()} came again`)
      }
      await check(round)
    },
  }
}

/** Others wait for items while the victim, which has the only one, gives it back or dies. */
function leaves(what: string, operate: Use): KillCase<Objects> {
  const objects = always()
  return {
    name: `Acknowledged: ${what} for those who wait`,
    make: () => {
      const { queue } = objects()
      queue.putManySync([item(1, SMALL), item(2, SMALL)])
      return { queue }
    },
    prepare: ({ queue }) => [queue.getTaskSync(), queue.getSync()],
    operate: ({ queue }) => operate(queue),
    acts,
    async play(round) {
      const { queue } = round.objects
      const runs = round.others.map((who) => round.begin(who, 'work'))
      for (const run of runs) await round.waits(run, queue)
      const joined = round.here('join')
      await round.waits(joined, queue)
      round.go()
      await round.death()
      const got: number[] = []
      for (const run of runs) got.push((await round.settled(run)) as number)
      assert(sorted(got) === '1,2', `${got.join()} came of 1,2`)
      assert((await round.settled(joined)) === true, 'join timed out')
      await check(round)
    },
  }
}

/** Others wait until all is done while the victim does the last. */
function finishes(what: string, operate: Use, prepare?: Use): KillCase<Objects> {
  const objects = always()
  return {
    name: `Acknowledged: ${what} for those who join`,
    make: () => {
      const { queue } = objects()
      queue.putSync(item(1, SMALL))
      return { queue }
    },
    ...(prepare === undefined ? {} : { prepare: ({ queue }: Objects) => prepare(queue) }),
    operate: ({ queue }) => operate(queue),
    acts,
    async play(round) {
      const { queue } = round.objects
      const runs = round.others.map((who) => round.begin(who, 'join'))
      for (const run of runs) await round.waits(run, queue)
      round.go()
      await round.death()
      const { done } = drain(queue)
      assert(done.length === 0 || (done.length === 1 && !round.ended), `${done.join()} came`)
      round.freed()
      for (const run of runs) assert((await round.settled(run)) === true, 'join timed out')
      await check(round)
    },
  }
}

/** The victim ends the queue and drops what is in it; this process has one item, others join. */
const drops: KillCase<Objects> = {
  name: 'Acknowledged: shutdown that drops the rest',
  make: () => {
    const queue = new JoinableQueue({ acknowledge: true })
    queue.putManySync([1, 2, 3, 4].map((n) => item(n, SMALL)))
    return { queue }
  },
  prepare: ({ queue }) => queue.getTaskSync(),
  operate: ({ queue }) => queue.shutdown({ immediate: true }),
  acts,
  async play(round) {
    const { queue } = round.objects
    const own = queue.getTaskSync()
    const runs = round.others.map((who) => round.begin(who, 'join'))
    for (const run of runs) await round.waits(run, queue)
    round.go()
    await round.death()
    assert(!(await round.isSettled(runs[0], 2)), 'joined too early')
    own.giveBack()
    // Before its first step the queue is as it was.
    try {
      drain(queue)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_MP_QUEUE_SHUT_DOWN') throw error
    }
    round.freed()
    for (const run of runs) assert((await round.settled(run)) === true, 'join timed out')
    assert(queue.joinSync({ timeout: 0 }), 'something is not done')
  },
}

const takeAll: Use = (queue) => {
  const tasks = []
  for (let n = 0; n < 6; n++) tasks.push(queue.getTaskSync())
  for (const task of tasks) task.done()
}

export const acknowledgedCases: readonly KillCase<Objects>[] = [
  works('getTaskSync', (queue) => queue.getTaskSync(), { does: 0, takes: 1 }),
  works('getTask', (queue) => queue.getTask(), { does: 0, takes: 1 }),
  works('getSync, a long item', (queue) => queue.getSync(), { does: 0, takes: 1, length: LONG }),
  works(
    'getSync and taskDone',
    (queue) => {
      queue.getSync()
      queue.taskDone()
    },
    { does: 1, takes: 1 },
  ),
  works('done, a long item', (queue) => queue.getTaskSync().done(), {
    does: 1,
    takes: 1,
    length: LONG,
  }),
  works('done, beyond a page', takeAll, { does: 6, takes: 6, count: 8, length: MIDDLE }),
  works('giveBack', (queue) => queue.getTaskSync().giveBack(), { does: 0, takes: 1 }),
  works('close', (queue) => queue.close(), {
    does: 0,
    takes: 0,
    prepared: 2,
    prepare: (queue) => [queue.getTaskSync(), queue.getSync()],
  }),
  works('getTaskSync after a death', (queue) => queue.getTaskSync(), {
    does: 0,
    takes: 0,
    prepared: 1,
    // The corpse has the first, the victim the second: so it takes the first over.
    count: 2,
    afterCorpse: true,
    prepare: (queue) => queue.getTaskSync(),
  }),
  works('done after a death', (queue) => queue.getTaskSync().done(), {
    does: 1,
    takes: 0,
    prepared: 1,
    count: 2,
    length: LONG,
    afterCorpse: true,
    prepare: (queue) => queue.getTaskSync(),
  }),
  leaves('close', (queue) => queue.close()),
  leaves('nothing', () => {}),
  finishes('done', (queue) => queue.getTaskSync().done()),
  finishes(
    'taskDone',
    (queue) => queue.taskDone(),
    (queue) => queue.getSync(),
  ),
  drops,
]
