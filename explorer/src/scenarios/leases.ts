/**
 * Leases and loans: nobody else writes where somebody reads or fills; what a reader died with is free again; a message
 * that a dead reader had begun to take comes whole to the next.
 *
 * @module
 */
import { type BytesLease, LeasedBytes, Loan, PENDING } from '@mp/shared-memory/internal'
import { type Ending, type Helper, type Link, type Scenario, link, open } from '../scenario.js'
import { Ring } from './rings.js'

/** Bytes of a message that gets pages of its own: two of them. */
const LONG_BYTES = 33

/** Counters, by number of the message: how often it was received; what was the last page. */
const GOT = 0
const ENDED = 8

const message = (number: number): Uint8Array => new Uint8Array(LONG_BYTES).fill(number)

/** First and last byte: each in a page of its own. */
function look(bytes: Uint8Array): number {
  const first = bytes[0]
  return first === bytes[LONG_BYTES - 1] ? first : 255
}

function lease(ring: Ring): BytesLease {
  const { waiting } = ring.session
  const taken = waiting.block(ring.ring.claiming(), Infinity)
  if (taken === PENDING) throw new Error('a wait without an end has ended')
  return new LeasedBytes(ring.session, taken.inPlace()).bare()
}

/** Receives a message in place, looks at it twice, and gives it back. */
function receive(ring: Ring, helper: Helper): void {
  const held = lease(ring)
  const number = look(held.bytes)
  helper.expect(number > 0 && number < 8, `the message is whole: ${number}`)
  helper.expect(helper.count(GOT + number) === 0, `message ${number} is got once`)
  helper.expect(look(held.bytes) === number, `message ${number} stays as it is while it is held`)
  held.release()
}

function put(ring: Ring, number: number): void {
  ring.session.waiting.block(ring.ring.putting([message(number)]), Infinity)
}

/** When all have ended: who died may have died with a message; the others are there; no page is anybody's but the ring's. */
function checkRest(
  shared: Link,
  { helper, killed }: Ending,
  takers: readonly number[],
  putters: readonly number[] = [],
): void {
  const ring = open(Ring, shared)
  while (ring.ring.size > 0) receive(ring, helper)
  const got = [1, 2, 3].reduce((sum, number) => sum + helper.counted(GOT + number), 0)
  const dead = (slots: readonly number[]): number => slots.filter((slot) => killed[slot]).length
  const deadTakers = dead(takers)
  const lost = ring.ring.put - got
  helper.expect(lost >= 0 && lost <= deadTakers, `${lost} messages are lost`)
  const { arena } = ring.session.pages
  let kept = 0
  for (let page = 0; page < 12; page++) {
    const owner = arena.owner(page)
    helper.expect(
      owner === 0 || owner === (OWNED | shared.index),
      `page ${page} is free or the ring's`,
    )
    if (owner !== 0) kept++
  }
  // A reader that dies may leave the page of the ring that it came from; a writer that dies between giving its pages and
  // its commit leaves them to the object: three of a message.
  helper.expect(kept <= 1 + deadTakers + 3 * dead(putters), `${kept} pages are kept`)
}

const OWNED = 1 << 30

function filled(...numbers: readonly number[]): Link {
  const ring = new Ring()
  for (const number of numbers) ring.ring.tryPut([message(number)])
  return link(ring)
}

/** Two messages that are there; agent 1 takes them while agent 0 puts a third. */
const reuse: Scenario<Link> = {
  name: 'lease-reuse',
  agents: 2,
  setUp: () => filled(1, 2),
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me === 0) return () => put(ring, 3)
    return () => {
      receive(ring, helper)
      receive(ring, helper)
    }
  },
  check: (shared, ending) => checkRest(shared, ending, [1], [0]),
}

/** Two who take one each, of two that are there: the one's death in the middle is mended by the other, or by its reaper. */
const takers: Scenario<Link> = {
  ...reuse,
  name: 'lease-takers',
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    return () => receive(ring, helper)
  },
  check: (shared, ending) => checkRest(shared, ending, [0, 1]),
}

/** As before, with agent 0 dying alone, and one more who reaps it meanwhile. */
const reaped: Scenario<Link> = {
  ...takers,
  name: 'lease-reaped-3',
  agents: 3,
  mortals: [0],
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me < 2) return () => receive(ring, helper)
    return () => ring.session.reaper.reapAll()
  },
}

/** Three who take one each. */
const takers3: Scenario<Link> = {
  ...takers,
  name: 'lease-takers-3',
  agents: 3,
  setUp: () => filled(1, 2, 3),
  check: (shared, ending) => checkRest(shared, ending, [0, 1, 2]),
}

/** Agent 1 fills a message in place and puts it; agent 0 takes one, and has its pages free for others. */
const loan: Scenario<Link> = {
  ...reuse,
  name: 'loan-put',
  setUp: () => filled(1),
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me === 0) {
      return () => {
        receive(ring, helper)
        receive(ring, helper)
      }
    }
    return () => {
      const loaned = fill(ring, 2)
      ring.session.waiting.block(ring.ring.putting([loaned.lend('connection')]), Infinity)
      loaned.settle(true)
    }
  },
  check: (shared, ending) => checkRest(shared, ending, [0], [1]),
  mayWait: (_shared, { killed }) => killed[1] === true,
}

/** Takes memory, and writes it. */
function fill(ring: Ring, number: number): Loan {
  const loaned = new Loan(ring.session, 'connection', LONG_BYTES, new Uint8Array(0))
  const { bytes } = loaned
  bytes[0] = number
  bytes[LONG_BYTES - 1] = number
  return loaned
}

/** There is room for one message, which is there: agent 1's loan is its own again, and is put when agent 0 has taken. */
const refused: Scenario<Link> = {
  ...loan,
  name: 'loan-refused',
  setUp: () => {
    const ring = new Ring({ maxItems: 1 })
    ring.ring.tryPut([message(1)])
    return link(ring)
  },
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me === 0) {
      return () => {
        receive(ring, helper)
        put(ring, 3)
      }
    }
    return () => {
      const loaned = fill(ring, 2)
      const isPut = ring.ring.tryPut([loaned.lend('connection')]) === 'put'
      loaned.settle(isPut)
      if (isPut) return
      helper.expect(look(loaned.bytes) === 2, 'what was not put is as it was')
      loaned.release()
    }
  },
  check: (shared, ending) => checkRest(shared, ending, [0], [0, 1]),
  // The one has put, and nobody takes any more.
  mayWait: (shared, { helper }) =>
    helper.counted(GOT + 1) === 1 && open(Ring, shared).ring.isFull(),
}

/** Agent 0 leaves the object, which ends; agent 1 has a message of it; agent 2 takes what memory is free. */
const outlived: Scenario<Link> = {
  ...reuse,
  name: 'lease-outlived-3',
  agents: 3,
  setUp: () => filled(1),
  program: (shared, helper) => {
    const ring = open(Ring, shared)
    if (helper.me === 0) return () => leave(ring, helper)
    if (helper.me === 2) {
      return () => {
        leave(ring, helper)
        const { pages } = ring.session
        for (let n = 0; n < 2; n++) {
          const page = pages.arena.take(2)
          if (page < 0) return
          pages.bytes(page, LONG_BYTES).set(message(9))
          pages.arena.free(page, 2)
        }
      }
    }
    return () => {
      const held = lease(ring)
      leave(ring, helper)
      helper.expect(look(held.bytes) === 1, 'the message is whole after its object has ended')
      held.release()
    }
  },
  check: (shared, { helper }) => {
    void shared
    const ended = helper.counted(ENDED)
    helper.expect(ended <= 3, 'each has left')
  },
}

function leave(ring: Ring, helper: Helper): void {
  // A step of its own: all have opened the object before anybody leaves it.
  helper.leave(0)
  ring.close()
  helper.count(ENDED)
}

export const leases: readonly Scenario<Link>[] = [
  reuse,
  takers,
  reaped,
  takers3,
  loan,
  refused,
  outlived,
]
