/**
 * Waiting for pages: whoever is short of them goes on once there are enough, whoever frees them, and however.
 *
 * @module
 */
import { LeasedBytes, OBJECT_OWNER, PENDING } from '@mp/shared-memory/internal'
import { type Ending, type Link, type Scenario, link, open } from '../scenario.js'
import { Ring } from './rings.js'

/** Bytes that take so many pages, beside one of the ring for each message. */
const FOUR_PAGES = 97
const THREE_PAGES = 65
const ONE_PAGE = 5

interface Shared {
  readonly ring: Link
  /** The only pages that can become free are those of the message in it. */
  readonly full: Link
}

function fill(byteLength: number): Shared {
  const [ring, full] = [new Ring(), new Ring()]
  full.ring.tryPut([new Uint8Array(byteLength)])
  const { arena } = full.session.pages
  for (let page = arena.take(1); page >= 0; page = arena.take(1)) {
    arena.give(page, 1, OBJECT_OWNER | full.handle.index)
  }
  return { ring: link(ring), full: link(full) }
}

/** Opens both for an agent. */
function openBoth({ ring, full }: Shared): { ring: Ring; full: Ring } {
  return { ring: open(Ring, ring), full: open(Ring, full) }
}

/** Takes the message, and gives its pages back. */
function release(shared: Shared): () => void {
  const { full } = openBoth(shared)
  const { session } = full
  return () => {
    const taken = session.waiting.block(full.ring.claiming(), Infinity)
    if (taken !== PENDING) new LeasedBytes(session, taken.inPlace()).bare().release()
  }
}

function check(
  { ring: shared, full }: Shared,
  { helper, killed }: Ending,
  putters: readonly number[],
): void {
  const { ring } = open(Ring, shared)
  const living = putters.filter((slot) => killed[slot] !== true)
  if (open(Ring, full).ring.size === 1) return
  helper.expect(ring.size >= living.length, 'what was put is there')
}

/** Agent 0 puts, agent 1 gives back what is needed for it. */
const wait: Scenario<Shared> = {
  name: 'memory-wait',
  agents: 2,
  setUp: () => fill(FOUR_PAGES),
  program: (shared, helper) => {
    if (helper.me === 1) return release(shared)
    const { ring, session } = openBoth(shared).ring
    return () => void session.waiting.block(ring.putting([new Uint8Array(THREE_PAGES)]), Infinity)
  },
  check: (shared, ending) => check(shared, ending, [0]),
  // Nobody is left to take the message.
  mayWait: ({ full }, { killed }) => killed[1] === true && open(Ring, full).ring.size === 1,
}

const waitAsync: Scenario<Shared> = {
  ...wait,
  name: 'memory-wait-async',
  program: (shared, helper) => {
    if (helper.me === 1) return release(shared)
    const { ring, session } = openBoth(shared).ring
    return async () => {
      const message = new Uint8Array(THREE_PAGES)
      await session.waiting.async(ring.putting([message]), Infinity, undefined)
    }
  },
}

/** Two wait; agent 2 gives back enough for both at once. */
const two: Scenario<Shared> = {
  ...wait,
  name: 'memory-wait-two-3',
  agents: 3,
  program: (shared, helper) => {
    if (helper.me === 2) return release(shared)
    const { ring, session } = openBoth(shared).ring
    return () => void session.waiting.block(ring.putting([new Uint8Array(ONE_PAGE)]), Infinity)
  },
  check: (shared, ending) => check(shared, ending, [0, 1]),
  mayWait: ({ full }, { killed }) => killed[2] === true && open(Ring, full).ring.size === 1,
}

/**
 * Agent 0 waits for pages at two rings, asynchronously. What agent 1 gives back is enough for the second, and the first
 * waits until it is called off.
 */
const twoRings: Scenario<Shared> = {
  ...wait,
  name: 'memory-wait-two-rings',
  setUp: () => fill(THREE_PAGES),
  program: (shared, helper) => {
    if (helper.me === 1) return release(shared)
    const { ring: mine, full } = openBoth(shared)
    const { ring, session } = mine
    const { waiting } = session
    return async () => {
      const long = full.ring.putting([new Uint8Array(FOUR_PAGES)])
      const first = waiting.async(long, Infinity, helper.signal()).then(
        () => helper.expect(false, 'there is no room for the long one'),
        () => {},
      )
      await waiting.async(ring.putting([new Uint8Array(ONE_PAGE)]), Infinity, undefined)
      await first
    }
  },
  check: () => {},
}

export const memory: readonly Scenario<Shared>[] = [wait, waitAsync, two, twoRings]
