/**
 * A message on its way into a ring: short ones lie in the ring's pages, long ones in pages of their own.
 *
 * @module
 */
import { MultiprocessingError } from '../errors.js'
import { PAGE_BYTES } from '../layout.js'
import { pagesFor } from '../pages.js'
import type { Session } from '../session.js'
import { INLINE_MAX } from './layout.js'

/** Thrown when a message can never fit: it is larger than the session's memory or the ring's `maxBytes`. */
export class MessageTooLargeError extends MultiprocessingError {
  constructor(byteLength: number, limit: number) {
    super(
      'ERR_MP_MESSAGE_TOO_LARGE',
      `A message of ${byteLength} bytes does not fit: the limit is ${limit} bytes (raise \`maxBytes\`, or MP_MEMORY_LIMIT for the session)`,
    )
  }
}

/** A run of pages with a message in it, still this agent's. */
export interface Extent {
  readonly page: number
  readonly pages: number
}

/** Whether a message of that length gets pages of its own. */
export function needsExtent(byteLength: number): boolean {
  return byteLength > INLINE_MAX
}

/**
 * Takes pages for a long message, to be filled before any lock is taken.
 *
 * CRASH: until the message is committed the pages carry our tag; the reaper frees them.
 *
 * @returns null when there is no room now.
 */
export function takeExtent(session: Session, byteLength: number): Extent | null {
  const { pages } = session
  const count = pagesFor(byteLength)
  if (count > pages.count) throw new MessageTooLargeError(byteLength, pages.count * PAGE_BYTES)
  const page = pages.arena.take(count)
  return page < 0 ? null : { page, pages: count }
}

/** Takes pages for a long message and copies it into them; null when there is no room now. */
export function fillExtent(session: Session, bytes: Uint8Array): Extent | null {
  const extent = takeExtent(session, bytes.byteLength)
  if (extent !== null) session.pages.bytes(extent.page, bytes.byteLength).set(bytes)
  return extent
}
