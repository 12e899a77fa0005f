/**
 * Acknowledged queues: one agent at a time has an item; what is done never comes again; what the dead and the
 * unwilling had comes again; whoever waits for all to be done waits until then, and no longer.
 *
 * An item is its number. Each has a section that whoever has it is in, and counters of what became of it.
 *
 * @module
 */
import {
  AcknowledgedRing,
  QUEUE,
  QUEUE_SETS,
  QUEUE_WORDS,
  type TakenItem,
} from '@mp/queue/internal'
import {
  type Attachment,
  OBJECT_TYPE,
  PENDING,
  RingClosedError,
  SharedObject,
  WaitSet,
} from '@mp/shared-memory/internal'
import { type Ending, type Helper, type Link, type Scenario, link, open } from '../scenario.js'

/** What a `JoinableQueue` makes of an acknowledged ring, without its encoding. */
class Tasks extends SharedObject {
  readonly ring: AcknowledgedRing
  readonly #joined: WaitSet

  constructor(attachment?: Attachment) {
    super(
      attachment,
      { type: OBJECT_TYPE.queue, words: QUEUE_WORDS, sets: QUEUE.sets, setCount: QUEUE_SETS },
      (words, base) => Atomics.store(words, base + QUEUE.acknowledged, 1),
    )
    const { base, index } = this.handle
    this.ring = new AcknowledgedRing(this.session, base, index, this)
    if (attachment === undefined) this.ring.prepare()
    this.#joined = new WaitSet(this.session.agent, base + QUEUE.joined)
  }

  put(...messages: Uint8Array[]): void {
    this.session.waiting.block(this.ring.putting(messages), Infinity)
  }

  take(): TakenItem {
    const taken = this.session.waiting.block(this.ring.takingTask(), Infinity)
    if (taken === PENDING) throw new Error('a wait without an end has ended')
    return taken
  }

  async takeAsync(): Promise<TakenItem> {
    const { waiting } = this.session
    const taken = await waiting.async(this.ring.takingTask(), Infinity, undefined)
    if (taken === PENDING) throw new Error('a wait without an end has ended')
    return taken
  }

  finish({ hold }: TakenItem): void {
    this.ring.finish(hold)
    this.wakeJoiners()
  }

  giveBack({ hold }: TakenItem): void {
    this.ring.giveBack(hold)
    this.wakeJoiners()
  }

  join(): void {
    const isDone = (): boolean => this.ring.isDone()
    const attempt = (): true | typeof PENDING => (isDone() ? true : PENDING)
    this.session.waiting.block({ set: this.#joined, attempt, available: isDone }, Infinity)
  }

  wakeJoiners(): void {
    if (this.#joined.any() && this.ring.isDone()) this.#joined.wakeAll()
  }

  protected origin(): never {
    throw new Error('The explorer sends no handles')
  }
}

const short = (number: number): Uint8Array => Uint8Array.of(number)
/** Too long to lie among the others. */
const long = (number: number): Uint8Array => new Uint8Array(5).fill(number)

/** Counters, by number of the item: how often somebody was about to finish it, and has; was about to give it back. */
const FINISHING = 0
const DONE = 8
const GIVEN_BACK = 16

/** Somebody has taken an item. @returns its number. */
function receive({ message, redelivered }: TakenItem, helper: Helper): number {
  const [number] = message
  const isWhole = number > 0 && message.every((byte) => byte === number)
  helper.expect(isWhole, `an item is whole: ${message.join()}`)
  const hasDied = helper.enter(number)
  helper.expect(
    helper.counted(DONE + number) === 0,
    `item ${number} is not delivered when it is done`,
  )
  const cameBack = hasDied || helper.counted(GIVEN_BACK + number) > 0
  helper.expect(!cameBack || redelivered > 0, `item ${number} is marked as delivered before`)
  return number
}

function finish(tasks: Tasks, item: TakenItem, helper: Helper): void {
  const number = receive(item, helper)
  helper.count(FINISHING + number)
  tasks.finish(item)
  helper.count(DONE + number)
  helper.leave(number)
}

function giveBack(tasks: Tasks, item: TakenItem, helper: Helper): void {
  const number = receive(item, helper)
  helper.leave(number)
  helper.count(GIVEN_BACK + number)
  tasks.giveBack(item)
}

/** Does what comes until all is done. */
function workToTheEnd(tasks: Tasks, helper: Helper, first = finish): void {
  let work = first
  try {
    for (;;) {
      work(tasks, tasks.take(), helper)
      work = finish
    }
  } catch (error) {
    if (!(error instanceof RingClosedError)) throw error
  }
}

/** When all have ended, everything that is not done can be taken and done; then all is, and no page is lost. */
function checkRest(
  shared: Link,
  { helper, killed }: Ending,
  items: readonly number[],
  claimed = items.length,
): void {
  const tasks = open(Tasks, shared)
  const { ring, session } = tasks
  for (let item = ring.tryTakeTask(); item !== null; item = ring.tryTakeTask())
    finish(tasks, item, helper)
  helper.expect(ring.isDone(), 'all is done once nothing can be taken')
  const hasDeath = killed.includes(true)
  for (const number of items) {
    const isDone = helper.counted(DONE + number) === 1
    // Who died about to finish it may have finished it.
    const mayBeDone = hasDeath && helper.counted(FINISHING + number) > 0
    helper.expect(isDone || mayBeDone, `item ${number} is done`)
  }
  const { arena } = session.pages
  let pages = 0
  for (let page = 0; page < 12; page++) {
    const owner = arena.owner(page)
    helper.expect(
      owner === 0 || owner === (OWNED | shared.index),
      `page ${page} is the queue's or free`,
    )
    if (owner !== 0) pages++
  }
  // One that is written and read, and those of the table of claims. A death may cost one, and an item's own.
  const deaths = killed.filter((isKilled) => isKilled).length
  helper.expect(pages <= 1 + Math.ceil(claimed / 2) + 2 * deaths, `${pages} pages are kept`)
}

const OWNED = 1 << 30

function filled(
  message: (number: number) => Uint8Array,
  numbers: readonly number[],
  close = true,
): Link {
  const tasks = new Tasks()
  for (const number of numbers) tasks.ring.tryPut([message(number)])
  if (close) tasks.ring.close()
  return link(tasks)
}

/** Two items, two who work until all is done. */
const work: Scenario<Link> = {
  name: 'claims-work',
  agents: 2,
  setUp: () => filled(short, [1, 2]),
  program: (shared, helper) => {
    const tasks = open(Tasks, shared)
    return () => workToTheEnd(tasks, helper)
  },
  check: (shared, ending) => checkRest(shared, ending, [1, 2]),
}

/** As before, and one more, who works asynchronously. */
const workAsync: Scenario<Link> = {
  ...work,
  name: 'claims-work-async',
  program: (shared, helper) => {
    const tasks = open(Tasks, shared)
    if (helper.me === 0) return () => workToTheEnd(tasks, helper)
    return async () => {
      try {
        for (;;) finish(tasks, await tasks.takeAsync(), helper)
      } catch (error) {
        if (!(error instanceof RingClosedError)) throw error
      }
    }
  },
}

/** Items that have pages of their own. */
const extents: Scenario<Link> = {
  ...work,
  name: 'claims-extents',
  setUp: () => filled(long, [1, 2]),
}

/** Agent 0 waits until all is done, while the others work. */
const join: Scenario<Link> = {
  ...work,
  name: 'claims-join-3',
  agents: 3,
  program: (shared, helper) => {
    const tasks = open(Tasks, shared)
    if (helper.me > 0) return () => workToTheEnd(tasks, helper)
    return () => {
      tasks.join()
      for (const number of [1, 2]) {
        helper.expect(helper.counted(FINISHING + number) > 0, `item ${number} is done when all is`)
      }
    }
  },
  // Nobody is left to do it.
  mayWait: (_shared, { killed }) => killed[1] === true && killed[2] === true,
}

/** Each gives back the first item that it gets. */
const returned: Scenario<Link> = {
  ...work,
  name: 'claims-give-back',
  setUp: () => filled(short, [1]),
  program: (shared, helper) => {
    const tasks = open(Tasks, shared)
    return () => workToTheEnd(tasks, helper, helper.me === 0 ? giveBack : finish)
  },
  check: (shared, ending) => checkRest(shared, ending, [1]),
}

/** Agent 0 has one item and leaves the queue with it; the others wait for items and for the end. */
const left: Scenario<Link> = {
  ...returned,
  name: 'claims-leave-3',
  agents: 3,
  program: (shared, helper) => {
    const tasks = open(Tasks, shared)
    if (helper.me === 1) return () => workToTheEnd(tasks, helper)
    if (helper.me === 2) return () => tasks.join()
    return () => {
      const item = tasks.ring.tryTakeTask()
      if (item === null) return
      const number = receive(item, helper)
      helper.leave(number)
      helper.count(GIVEN_BACK + number)
      tasks.ring.leave()
      tasks.wakeJoiners()
    }
  },
  mayWait: (_shared, { killed }) => killed[1] === true,
}

/**
 * Each item has a page to itself, and a page that no claim lies in is freed: agent 0 does the second and gives back the
 * first, agent 1 puts one more meanwhile.
 */
const pages: Scenario<Link> = {
  ...work,
  name: 'claims-pages',
  setUp: () => filled(short, [1, 2, 3], false),
  program: (shared, helper) => {
    const tasks = open(Tasks, shared)
    if (helper.me === 1) {
      return () => {
        tasks.put(short(4))
        finish(tasks, tasks.take(), helper)
      }
    }
    return () => {
      const first = tasks.take()
      finish(tasks, tasks.take(), helper)
      giveBack(tasks, first, helper)
      finish(tasks, tasks.take(), helper)
    }
  },
  check: (shared, ending) => {
    const { put } = open(Tasks, shared).ring
    checkRest(shared, ending, put === 4 ? [1, 2, 3, 4] : [1, 2, 3])
  },
}

/** Agent 0 drops what is not taken; agent 1 works, agent 2 waits until nothing is left. */
const drop: Scenario<Link> = {
  ...work,
  name: 'claims-drop-3',
  agents: 3,
  setUp: () => filled(short, [1, 2], false),
  program: (shared, helper) => {
    const tasks = open(Tasks, shared)
    if (helper.me === 2) return () => tasks.join()
    if (helper.me === 1) return () => workToTheEnd(tasks, helper, giveBack)
    return () => {
      tasks.ring.closeAndDrop()
      tasks.wakeJoiners()
    }
  },
  check: (shared, ending) => checkRest(shared, ending, [], 2),
  // Nobody may be left who has something to drop, or closes it.
  mayWait: (shared, { killed }) =>
    killed[0] === true && (killed[1] === true || !open(Tasks, shared).ring.closed),
}

export const claims: readonly Scenario<Link>[] = [
  work,
  workAsync,
  extents,
  join,
  returned,
  left,
  pages,
  drop,
]
