/**
 * Deaths in a `Queue`: what was put is there, whole and once, in order; what was not is not there at all.
 *
 * Items are numbers, or begin with one: the victim's are 100 and up, the survivors' less.
 *
 * @module
 */
import { Queue } from '@mp/queue'
import { HEADER, OBJECT_OWNER, RING, isDead, session } from '@mp/shared-memory/internal'
import { type Form, type KillCase, type Round, assert } from './case.js'
import { sorted } from '../sorted.js'

interface Objects {
  queue: Queue
}

/** Longer than anything may take. */
const LIMIT_MS = 5_000
/** Pages are of 64 KiB, and messages longer than 16 KiB get their own: so one is small, one ends a page, one is long. */
const SMALL = 8
const MIDDLE = 15_000
const LONG = 40_000

const item = (n: number, length: number): string => `${n} ${'x'.repeat(length)}`

function checkWhole(value: unknown): number {
  // What was put by a loan are bytes.
  const text = value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)
  const n = Number(text.split(' ')[0])
  const isWhole = [SMALL, MIDDLE, LONG].some((length) => text === item(n, length))
  assert(isWhole, `a torn item came out: ${text.slice(0, 40)}, ${text.length} characters`)
  return n
}

async function get({ queue }: Objects, form: Form): Promise<number> {
  const options = { timeout: LIMIT_MS }
  return checkWhole(form === 'sync' ? queue.getSync(options) : await queue.get(options))
}

async function put({ queue }: Objects, form: Form): Promise<void> {
  const options = { timeout: LIMIT_MS }
  if (form === 'sync') queue.putSync(item(50, SMALL), options)
  else await queue.put(item(50, SMALL), options)
}

/** How many items have ever been put. */
function countPut({ session: { words }, handle: { base } }: Queue): number {
  return Atomics.load(words, base + RING.tail) >>> 1
}

/** Everything that is left in it. */
function drain({ queue }: Objects): number[] {
  const items: number[] = []
  for (let next = queue.tryGet(); next !== null; next = queue.tryGet()) {
    items.push(checkWhole(next.value))
  }
  return items
}

/** It works as if the victim had never been: both others get what this process puts, in order. */
async function check(round: Round<Objects>): Promise<void> {
  const { queue } = round.objects
  assert(queue.empty() && queue.qsize() === 0, 'it is not empty')
  const runs = round.others.map((who) => round.begin(who, 'get'))
  for (const run of runs) await round.waits(run, queue)
  queue.putSync(item(1, LONG), { timeout: LIMIT_MS })
  queue.putManySync([item(2, MIDDLE), item(3, SMALL)], { timeout: LIMIT_MS })
  round.freed()
  const got: number[] = []
  for (const run of runs) got.push((await round.settled(run)) as number)
  got.push(...drain(round.objects))
  assert(sorted(got) === '1,2,3', `in the end ${got.join()} came out of 1,2,3`)
}

/**
 * One queue for all rounds of a case: it is empty after each. Queues last as long as the session; what many of them
 * hold would make the search for a free page longer from one round to the next.
 */
function always(maxSize: number): () => Objects {
  let queue: Queue | undefined
  return () => ({ queue: (queue ??= new Queue(maxSize)) })
}

type Use = (queue: Queue) => unknown

/** The victim puts items numbered from 100 on; nobody waits. */
function puts(
  what: string,
  operate: Use,
  lengths: readonly number[],
  atOnce: boolean,
): KillCase<Objects> {
  const numbers = lengths.map((_, n) => 100 + n)
  return {
    name: `Queue: ${what}`,
    make: always(0),
    operate: ({ queue }) => operate(queue),
    acts: { get },
    async play(round) {
      const { queue } = round.objects
      queue.putSync(item(1, SMALL))
      round.go()
      await round.death()
      queue.putSync(item(2, SMALL), { timeout: LIMIT_MS })
      const got = drain(round.objects)
      const victims = got.slice(1, -1)
      assert(got[0] === 1 && got.at(-1) === 2, `out of order: ${got.join()}`)
      assert(
        victims.join() === numbers.slice(0, victims.length).join(),
        `the victim's items came as ${victims.join()}`,
      )
      const isAll = victims.length === numbers.length
      if (round.ended) assert(isAll, `of ${numbers.join()} came ${victims.join()}`)
      if (atOnce) assert(isAll || victims.length === 0, `a part came: ${victims.join()}`)
      await check(round)
    },
  }
}

/** Two wait for the two items that the victim puts. */
function putsAwaited(what: string, operate: Use): KillCase<Objects> {
  return {
    name: `Queue: ${what} for those who wait`,
    make: always(0),
    operate: ({ queue }) => operate(queue),
    acts: { get },
    async play(round) {
      const { queue } = round.objects
      const before = countPut(queue)
      const runs = round.others.map((who) => round.begin(who, 'get'))
      for (const run of runs) await round.waits(run, queue)
      round.go()
      await round.death()
      const put = countPut(queue) - before
      assert(put === 2 || !round.ended, `${put} items are put after all`)
      for (let n = put; n < 2; n++) queue.putSync(item(10 + n, SMALL), { timeout: LIMIT_MS })
      round.freed()
      const got: number[] = []
      for (const run of runs) got.push((await round.settled(run)) as number)
      const expected = [...[100, 101].slice(0, put), ...[10, 11].slice(put)]
      assert(sorted(got) === sorted(expected), `${got.join()} came out`)
      await check(round)
    },
  }
}

/** The victim takes one of three items; the others are there, and the first too unless it was taken. */
function gets(what: string, operate: Use, length: number): KillCase<Objects> {
  return {
    name: `Queue: ${what}`,
    make: always(0),
    operate: ({ queue }) => operate(queue),
    acts: { get },
    async play(round) {
      const { queue } = round.objects
      for (const n of [1, 2, 3]) queue.putSync(item(n, length))
      round.go()
      await round.death()
      const left = drain(round.objects).join()
      assert(left === '2,3' || (left === '1,2,3' && !round.ended), `${left} is left of 1,2,3`)
      await check(round)
    },
  }
}

/**
 * The victim takes one of three long items; wherever it dies, the pages of it are somebody's who lives, or free.
 *
 * With a queue for each round, whose records fit its first page: that is all it has in the end.
 */
function getsPages(what: string, operate: Use): KillCase<Objects> {
  const { play, ...rest } = gets(what, operate, LONG)
  return {
    ...rest,
    make: () => ({ queue: new Queue() }),
    async play(round) {
      await play(round)
      const { queue } = round.objects
      const { words, pages, reaper } = session()
      const mark = OBJECT_OWNER | queue.handle.index
      const isDeadTag = (owner: number): boolean =>
        owner >>> 12 !== 0 && owner >>> 30 === 0 && isDead(words, owner)
      const count = (isIt: (owner: number) => boolean): number => {
        let found = 0
        for (let page = Atomics.load(words, HEADER.highPage) - 1; page >= 0; page--) {
          if (isIt(pages.arena.owner(page))) found++
        }
        return found
      }
      // Somebody else may be reaping right now.
      for (let n = 0; n < 500 && count(isDeadTag) > 0; n++) {
        reaper.reapAll()
        await round.pass(2)
      }
      assert(count(isDeadTag) === 0, 'pages of the dead are left')
      const marked = count((owner) => owner === mark)
      assert(marked === 1, `the empty queue has ${marked} pages`)
      queue.close()
    },
  }
}

/** The victim waits in a line with the others, for items that this process puts. */
function getsWaiting(what: string, operate: Use): KillCase<Objects> {
  return {
    name: `Queue: ${what}, when it is empty`,
    make: always(0),
    operate: ({ queue }) => operate(queue),
    acts: { get },
    async play(round) {
      const { queue } = round.objects
      const isFirst = round.k % 2 === 0
      if (isFirst) {
        round.go()
        await round.victimWaitsOrDies()
      }
      const runs = round.others.map((who) => round.begin(who, 'get'))
      for (const run of runs) await round.waits(run, queue)
      if (!isFirst) {
        round.go()
        await round.victimWaitsOrDies()
      }
      for (const n of [1, 2, 3]) queue.putSync(item(n, SMALL), { timeout: LIMIT_MS })
      round.freed()
      await round.death()
      const got: number[] = []
      for (const run of runs) got.push((await round.settled(run)) as number)
      got.push(...drain(round.objects))
      const all = sorted(got)
      assert(/^(1,2|1,3|2,3|1,2,3)$/.test(all), `${all} came out of 1,2,3`)
      if (got.length === 2) assert(round.k > 1 || round.ended, 'an item is lost')
      await check(round)
    },
  }
}

/** A queue of one item is full and others wait to put; the victim takes the item. */
const makesRoom: KillCase<Objects> = {
  name: 'Queue: getSync for those who wait to put',
  make: always(1),
  operate: ({ queue }) => [queue.getSync(), queue.getSync()],
  acts: { put },
  async play(round) {
    const { queue } = round.objects
    queue.putSync(item(1, SMALL))
    const runs = round.others.map((who) => round.begin(who, 'put'))
    for (const run of runs) await round.waits(run, queue)
    round.go()
    await round.death()
    // What the victim has not taken this process does.
    let own = 0
    const deadline = performance.now() + LIMIT_MS
    while (
      own < 1 ||
      !(await round.isSettled(runs[0], 0)) ||
      !(await round.isSettled(runs[1], 0))
    ) {
      if (queue.tryGet() !== null) own++
      assert(performance.now() < deadline, 'those who wait to put do not go on')
      if (own === 0 && round.ended) break
      await round.pass(1)
    }
    round.freed()
    for (const run of runs) await round.settled(run)
    const left = own + drain(round.objects).length
    assert(left >= 1 && left <= 3, `${left} items are left of three`)
    if (round.ended)
      assert(left === 1, `${left} items are left, though the victim took two of three`)
  },
}

export const queueCases: readonly KillCase<Objects>[] = [
  puts('putSync', (queue) => queue.putSync(item(100, SMALL)), [SMALL], true),
  puts('put', (queue) => queue.put(item(100, SMALL)), [SMALL], true),
  puts('putSync, a long item', (queue) => queue.putSync(item(100, LONG)), [LONG], true),
  puts(
    'putSync, beyond a page',
    (queue) => {
      for (let n = 0; n < 6; n++) queue.putSync(item(100 + n, MIDDLE))
    },
    Array.from({ length: 6 }, () => MIDDLE),
    false,
  ),
  puts(
    'putManySync, beyond a page, with a long item',
    (queue) =>
      queue.putManySync([
        ...Array.from({ length: 5 }, (_, n) => item(100 + n, MIDDLE)),
        item(105, LONG),
      ]),
    [MIDDLE, MIDDLE, MIDDLE, MIDDLE, MIDDLE, LONG],
    true,
  ),
  putsAwaited('putSync', (queue) => {
    queue.putSync(item(100, SMALL))
    queue.putSync(item(101, SMALL))
  }),
  putsAwaited('putMany', (queue) => queue.putMany([item(100, SMALL), item(101, LONG)])),
  gets('getSync', (queue) => queue.getSync(), SMALL),
  gets('get', (queue) => queue.get(), SMALL),
  gets('getSync, a long item', (queue) => queue.getSync(), LONG),
  getsPages('getSync, the pages of a long item', (queue) => queue.getSync()),
  getsPages('getSync by lease', (queue) => {
    const lease = queue.getSync({ lease: true })
    lease.release()
  }),
  puts(
    'putSync of a loan',
    (queue) => {
      const text = item(100, LONG)
      const loan = queue.allocate(text.length)
      loan.bytes.set(Buffer.from(text))
      queue.putSync(loan)
    },
    [LONG],
    true,
  ),
  getsWaiting('getSync', (queue) => queue.getSync()),
  getsWaiting('get', (queue) => queue.get()),
  getsWaiting('get that times out', async (queue) => {
    try {
      await queue.get({ timeout: 5 })
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_MP_QUEUE_EMPTY') throw error
    }
  }),
  makesRoom,
]
