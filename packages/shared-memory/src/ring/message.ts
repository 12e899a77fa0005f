/**
 * A message on its way into a ring: short ones lie in the ring's pages, long ones in pages of their own.
 *
 * @module
 */
import { MultiprocessingError } from '../errors.js'
import { PAGE_BYTES } from '../layout.js'
import { freeRun } from '../page-run.js'
import { type Pages, keptPages, pagesFor } from '../pages.js'
import type { Session } from '../session.js'
import { EXTENT_BYTES, INLINE_MAX, PAGE_START, recordBytes } from './layout.js'

/** The length of a record is a signed word. */
const MAX_MESSAGE_BYTES = 0x7fffffff

/** Thrown when a message can never fit: it is larger than the session's memory or the ring's `maxBytes`. */
export class MessageTooLargeError extends MultiprocessingError {
  constructor(byteLength: number, limit: number) {
    const advice =
      limit < MAX_MESSAGE_BYTES
        ? 'raise `maxBytes`, or MP_MEMORY_LIMIT for the session'
        : 'no message can be longer: divide it'
    super(
      'ERR_MP_MESSAGE_TOO_LARGE',
      `A message of ${byteLength} bytes does not fit: the limit is ${limit} bytes (${advice})`,
    )
  }
}

/** Thrown when a ring's words or pages hold what no agent writes: somebody has written into memory that is not theirs. */
export class CorruptRingError extends MultiprocessingError {
  constructor() {
    super(
      'ERR_MP_CORRUPT',
      'The messages in shared memory are corrupt: a process has overwritten them; nothing was read',
    )
  }
}

/** Thrown when the ring was closed: by writers at once, by readers when it is drained. */
export class RingClosedError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_RING_CLOSED', 'The ring is closed')
  }
}

/** A run of pages with a message in it, still this agent's. */
export class Extent {
  readonly page: number
  readonly pages: number
  /** Length of the message: more than `INLINE_MAX`. */
  readonly byteLength: number

  constructor(page: number, pages: number, byteLength: number) {
    this.page = page
    this.pages = pages
    this.byteLength = byteLength
  }
}

/** Words beside copies of ends of pipes that a message names: they get its number. */
export type Ends = readonly number[]

/** What can be put: bytes, which are copied, or a long message that lies in pages already. */
export type Message = Uint8Array | Extent

/** Whether a message of that length gets pages of its own. */
export function needsExtent(byteLength: number): boolean {
  return byteLength > INLINE_MAX
}

/**
 * Bytes of the longest message that a session can hold.
 *
 * The pages that are kept for rings do not count. So what is not longer goes through once others have freed what they have.
 */
function maxMessageBytes({ count }: Pages): number {
  return Math.min((count - keptPages(count)) * PAGE_BYTES, MAX_MESSAGE_BYTES)
}

/**
 * Throws when a message can never fit, so that nobody waits for what cannot be.
 *
 * @throws MessageTooLargeError
 */
export function checkFits(pages: Pages, byteLength: number): void {
  if (!needsExtent(byteLength)) return
  const most = maxMessageBytes(pages)
  if (byteLength > most) throw new MessageTooLargeError(byteLength, most)
}

/** `checkFits`, of messages that are put together. */
export function checkFitTogether(pages: Pages, messages: readonly Message[]): void {
  if (messages.length === 1) return checkFits(pages, messages[0].byteLength)
  const most = maxMessageBytes(pages)
  let runs = 0
  let offset = PAGE_BYTES
  let ringPages = 0
  let total = 0
  for (let i = 0; i < messages.length; i++) {
    const { byteLength } = messages[i]
    const isLong = needsExtent(byteLength)
    if (isLong) runs += pagesFor(byteLength)
    const size = recordBytes(isLong ? EXTENT_BYTES : byteLength)
    if (offset + size > PAGE_BYTES) {
      ringPages++
      offset = PAGE_START
    }
    offset += size
    total += byteLength
    if (byteLength > most) throw new MessageTooLargeError(byteLength, most)
  }
  // The ring's first page is one of the kept ones.
  if ((runs + ringPages - 1) * PAGE_BYTES > most) throw new MessageTooLargeError(total, most)
}

/**
 * Takes pages for a long message, to be filled before any lock is taken.
 *
 * CRASH: until the message is committed the pages carry our tag; the reaper frees them.
 *
 * @returns null when there is no room now.
 */
export function takeExtent({ pages }: Session, byteLength: number): Extent | null {
  const count = pagesFor(byteLength)
  const page = pages.arena.take(count)
  return page < 0 ? null : new Extent(page, count, byteLength)
}

/**
 * Puts long messages into pages of their own. Those that are there already stay their owner's.
 *
 * @returns for each message its pages, or null for a short one; null when there is no room now.
 */
export function fillExtents(
  session: Session,
  messages: readonly Message[],
): (Extent | null)[] | null {
  const extents: (Extent | null)[] = []
  for (const message of messages) {
    if (message instanceof Extent || !needsExtent(message.byteLength)) {
      extents.push(message instanceof Extent ? message : null)
      continue
    }
    const extent = takeExtent(session, message.byteLength)
    if (extent === null) {
      freeExtents(session, messages, extents)
      return null
    }
    session.pages.bytes(extent.page, message.byteLength).set(message)
    extents.push(extent)
  }
  return extents
}

/** Frees the pages that `fillExtents` has taken for messages that were not put. */
export function freeExtents(
  session: Session,
  messages: readonly Message[],
  extents: readonly (Extent | null)[],
): void {
  extents.forEach((extent, n) => {
    if (extent !== null && extent !== messages[n]) freeRun(session, extent.page, extent.pages)
  })
}
