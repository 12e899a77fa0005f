/**
 * Messages that stay in a ring's pages after they were taken, until somebody is done with them.
 *
 * @module
 */
import type { Session } from '../session.js'
import { KIND, RECORD_HEADER } from './layout.js'
import { Extent } from './message.js'
import { ownCopy } from './ring-reader.js'

/** Keeps what is taken. The reader frees neither the pages that it leaves nor those that a message has of its own. */
export interface Keeper {
  /**
   * Notes where a message lies, inside the readers' lock, just before it is taken.
   *
   * @returns false when it cannot be kept; then it is not taken, and the taker gets `refusal()`.
   */
  keep(number: number, page: number, offset: number): boolean
  refusal(): Error
}

/** A copy of a message that is kept. */
export function readKept(session: Session, page: number, offset: number): Uint8Array<ArrayBuffer> {
  const { pages } = session
  const start = pages.offset(page) + offset
  const length = pages.windowWords(page)[start >>> 2]
  const extent = keptExtent(session, page, offset)
  if (extent !== null) return ownCopy(pages.bytes(extent.page, length), length)
  const first = start + RECORD_HEADER
  return new Uint8Array(pages.window(page).subarray(first, first + length))
}

/** The pages that a kept message has of its own; null when it has none. */
export function keptExtent({ pages }: Session, page: number, offset: number): Extent | null {
  const words = pages.windowWords(page)
  const record = (pages.offset(page) + offset) >>> 2
  if ((words[record + 1] & KIND.extent) === 0) return null
  return new Extent(words[record + 2], words[record + 3], words[record])
}
