/**
 * Rings: what was put arrives, once, in order; a batch arrives as one; what the dead were about to do did not happen.
 *
 * A message is its number, and every agent counts what it has got, so a message that is lost, torn or there twice
 * is seen at once or at the end.
 *
 * @module
 */
import {
  type Attachment,
  MessageRing,
  OBJECT_TYPE,
  PENDING,
  RING,
  RING_SETS,
  RING_WORDS,
  RingClosedError,
  SharedObject,
  WAIT_SET_WORDS,
} from '@mp/shared-memory/internal'
import { type Ending, type Helper, type Link, type Scenario, link, open } from '../scenario.js'

/** A ring with nothing around it. */
export class Ring extends SharedObject {
  readonly ring: MessageRing

  constructor(bounds: { maxItems?: number; maxBytes?: number } | Attachment = {}) {
    const attachment = 'index' in bounds ? bounds : undefined
    const { maxItems = 0, maxBytes = 0 } = 'index' in bounds ? {} : bounds
    super(
      attachment,
      {
        type: OBJECT_TYPE.queue,
        words: RING_WORDS + RING_SETS * WAIT_SET_WORDS,
        sets: RING_WORDS,
        setCount: RING_SETS,
      },
      (words, base) => {
        Atomics.store(words, base + RING.maxItems, maxItems)
        Atomics.store(words, base + RING.maxBytes, maxBytes)
      },
    )
    const { base, index } = this.handle
    this.ring = new MessageRing(this.session, base, base + RING_WORDS, index)
  }

  put(...numbers: number[]): void {
    const { waiting } = this.session
    waiting.block(this.ring.putting(numbers.map(short)), Infinity)
  }

  take(): number {
    const message = this.session.waiting.block(this.ring.taking(), Infinity)
    return message === PENDING ? -1 : numberOf(message)
  }

  async takeAsync(): Promise<number> {
    const message = await this.session.waiting.async(this.ring.taking(), Infinity, undefined)
    return message === PENDING ? -1 : numberOf(message)
  }

  protected origin(): never {
    throw new Error('The explorer sends no handles')
  }
}

const short = (number: number): Uint8Array => Uint8Array.of(number)
/** Too long to lie among the others. */
const long = (number: number): Uint8Array => new Uint8Array(5).fill(number)

function numberOf(message: Uint8Array): number {
  return message.every((byte) => byte === message[0]) ? message[0] : 255
}

/** Counters of the scenarios: what the last message of a consumer was, and how often each number was got. */
const LAST = 0
const GOT = 8

function note(number: number, helper: Helper): void {
  helper.expect(number !== 255, 'no message is torn')
  helper.expect(helper.count(GOT + number) === 0, `message ${number} is got once`)
  const last = helper.counted(LAST + helper.me)
  helper.expect(number > last, `message ${number} comes after ${last}`)
  helper.count(LAST + helper.me, number - last)
}

/**
 * At the end: what is left is in order, and what is neither left nor got was taken by one who died with it, or was
 * never put.
 */
function checkRest(shared: Link, { helper, killed }: Ending, putters: readonly number[]): void {
  const { ring, session } = open(Ring, shared)
  const left: number[] = []
  for (let message = ring.tryTake(); message !== null; message = ring.tryTake()) {
    left.push(numberOf(message))
  }
  for (const [n, number] of left.entries()) {
    note(number, helper)
    const expected = ring.put - left.length + n + 1
    helper.expect(number === expected, `message ${number} is left in place of ${expected}`)
  }
  const got = Array.from({ length: 8 }, (_, n) => n).filter((n) => helper.counted(GOT + n) > 0)
  const lost = ring.put - got.length
  const takers = killed.filter((isKilled, slot) => isKilled && !putters.includes(slot)).length
  helper.expect(lost >= 0 && lost <= takers, `${lost} messages are lost, with ${takers} takers`)
  const { arena } = session.pages
  for (let page = 0; page < 8; page++) {
    const isOurs = arena.owner(page) === 0 || arena.owner(page) === (OWNED | shared.index)
    helper.expect(isOurs, `page ${page} is free or the ring's`)
  }
}

const OWNED = 1 << 30

/** Agent 0 puts two messages, agent 1 takes two. */
const sync: Scenario<Link> = {
  name: 'ring-sync',
  agents: 2,
  setUp: () => link(new Ring()),
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    return () => {
      for (const number of [1, 2]) {
        if (helper.me === 0) ring.put(number)
        else note(ring.take(), helper)
      }
    }
  },
  check: (shared, ending) => checkRest(shared, ending, [0]),
  mayWait: (shared, { killed }) => killed[0] === true && open(Ring, shared).ring.size === 0,
}

const async: Scenario<Link> = {
  ...sync,
  name: 'ring-async',
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me === 0) return () => [1, 2].forEach((number) => ring.put(number))
    return async () => {
      for (let n = 0; n < 2; n++) note(await ring.takeAsync(), helper)
    }
  },
}

/** Messages that get pages of their own. */
const extents: Scenario<Link> = {
  ...sync,
  name: 'ring-extents',
  program: (shared, helper) => {
    const { ring, session } = open(Ring, shared)
    const take = (): number => {
      const message = session.waiting.block(ring.taking(), Infinity)
      return message === PENDING ? -1 : numberOf(message)
    }
    return () => {
      for (const number of [1, 2]) {
        if (helper.me === 0) session.waiting.block(ring.putting([long(number)]), Infinity)
        else note(take(), helper)
      }
    }
  },
}

/** There is room for one: the putter waits for the taker. */
const full: Scenario<Link> = {
  ...sync,
  name: 'ring-full',
  setUp: () => link(new Ring({ maxItems: 1 })),
  mayWait: (shared, { killed }) => {
    const { size } = open(Ring, shared).ring
    return (killed[0] === true && size === 0) || (killed[1] === true && size === 1)
  },
}

/** Two at once: nobody ever sees one of them alone. */
const batch: Scenario<Link> = {
  ...sync,
  name: 'ring-batch',
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me === 0) return () => ring.put(1, 2)
    return () => {
      note(ring.take(), helper)
      helper.expect(ring.ring.size === 1, 'the other is there too')
      note(ring.take(), helper)
    }
  },
}

/** One message has been taken, the next lies on the next page: that of the first is free for the third. */
const reuse: Scenario<Link> = {
  ...sync,
  name: 'ring-reuse',
  setUp: () => {
    const ring = new Ring()
    for (const number of [1, 2]) ring.ring.tryPut([short(number)])
    ring.ring.tryTake()
    return link(ring)
  },
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    return helper.me === 0 ? () => ring.put(3) : () => note(ring.take(), helper)
  },
  check: (shared, { helper, killed }) => {
    const { ring } = open(Ring, shared)
    for (let message = ring.tryTake(); message !== null; message = ring.tryTake()) {
      note(numberOf(message), helper)
    }
    const isGot = (number: number): boolean => helper.counted(GOT + number) === 1
    helper.expect(isGot(2) || killed[1] === true, 'the second message is got')
    helper.expect(isGot(3) || ring.put === 2, 'the third message is got')
  },
}

/** Two who put, one who takes. */
const twoPutters: Scenario<Link> = {
  ...sync,
  name: 'ring-two-putters-3',
  agents: 3,
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me < 2) return () => ring.put(helper.me + 1)
    return () => {
      for (let n = 0; n < 2; n++) {
        const number = ring.take()
        helper.expect(helper.count(GOT + number) === 0, `message ${number} is got once`)
      }
    }
  },
  check: (shared, { helper, killed }) => {
    const { ring } = open(Ring, shared)
    let got = [1, 2].reduce((sum, number) => sum + helper.counted(GOT + number), 0)
    while (ring.tryTake() !== null) got++
    helper.expect(ring.put - got <= (killed[2] === true ? 1 : 0), 'no message is lost')
  },
  mayWait: (shared, { killed }) =>
    (killed[0] === true || killed[1] === true) && open(Ring, shared).ring.size === 0,
}

/** One who puts, two who take one each. */
const twoTakers: Scenario<Link> = {
  ...sync,
  name: 'ring-two-takers-3',
  agents: 3,
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me === 0) return () => [1, 2].forEach((number) => ring.put(number))
    return () => note(ring.take(), helper)
  },
}

/** One batch of two, two who take one each: neither sleeps on. */
const sharedBatch: Scenario<Link> = {
  ...twoTakers,
  name: 'ring-shared-batch-3',
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    return helper.me === 0 ? () => ring.put(1, 2) : () => note(ring.take(), helper)
  },
}

/** Agent 0 puts one and closes: agent 1 gets it, then hears that there will be no more. */
const closing: Scenario<Link> = {
  ...sync,
  name: 'ring-close',
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me === 0) {
      return () => {
        ring.put(1)
        ring.ring.close()
      }
    }
    return () => {
      try {
        for (;;) note(ring.take(), helper)
      } catch (error) {
        if (!(error instanceof RingClosedError)) throw error
        helper.expect(helper.counted(GOT + 1) === 1, 'what was put before it was closed is got')
      }
    }
  },
}

/** Agent 0 puts, agent 1 closes: once agent 2 hears of the end, nothing comes any more. */
const closedByAnother: Scenario<Link> = {
  ...closing,
  name: 'ring-closed-by-another-3',
  agents: 3,
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me === 1) return () => ring.ring.close()
    return () => {
      try {
        if (helper.me === 0) ring.put(1)
        else for (;;) note(ring.take(), helper)
      } catch (error) {
        if (!(error instanceof RingClosedError)) throw error
      }
    }
  },
  check: (shared, { helper, killed }) => {
    const { ring } = open(Ring, shared)
    if (killed[2] !== true) helper.expect(ring.size === 0, 'nothing is left behind')
  },
  mayWait: (shared, { killed }) => killed[1] === true && open(Ring, shared).ring.size === 0,
}

export const rings: readonly Scenario<Link>[] = [
  sync,
  async,
  extents,
  full,
  batch,
  reuse,
  twoPutters,
  twoTakers,
  sharedBatch,
  closing,
  closedByAnother,
]
