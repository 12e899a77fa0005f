/** What tests see of the session's pages. */
import { AT, HEADER, session } from '@mp/shared-memory/internal'

/** How many pages are somebody's. */
export function pagesInUse(): number {
  const { words } = session()
  const end = Atomics.load(words, HEADER.highPage)
  let count = 0
  for (let page = 0; page < end; page++) {
    if (Atomics.load(words, AT.pageTable + page) !== 0) count++
  }
  return count
}

/** How many pages carry a tag or mark. */
export function pagesOf(owner: number): number {
  const { words } = session()
  const end = Atomics.load(words, HEADER.highPage)
  let count = 0
  for (let page = 0; page < end; page++) {
    if (Atomics.load(words, AT.pageTable + page) === owner) count++
  }
  return count
}

/** Where in the memory of the session a byte pattern begins; the pages of this thread are looked at only. */
export function ownPagesHold(bytes: Uint8Array): boolean {
  const { words, pages, agent } = session()
  const end = Atomics.load(words, HEADER.highPage)
  for (let page = 0; page < end; page++) {
    if (Atomics.load(words, AT.pageTable + page) !== agent.tag) continue
    if (Buffer.from(pages.bytes(page, 65_536)).includes(Buffer.from(bytes))) return true
  }
  return false
}
