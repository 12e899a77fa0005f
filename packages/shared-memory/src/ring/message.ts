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
 * Copies a long message into pages of its own, before any lock is taken.
 *
 * CRASH: until the message is committed the pages carry our tag; the reaper frees them.
 *
 * @returns null when there is no room now.
 */
export function fillExtent(session: Session, bytes: Uint8Array): Extent | null {
  const { pages } = session
  const count = pagesFor(bytes.byteLength)
  if (count > pages.count)
    throw new MessageTooLargeError(bytes.byteLength, pages.count * PAGE_BYTES)
  const page = pages.arena.take(count)
  if (page < 0) return null
  pages.bytes(page, bytes.byteLength).set(bytes)
  return { page, pages: count }
}
