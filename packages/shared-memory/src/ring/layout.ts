/**
 * Words of a message ring: the transport under queues, pipes and pools.
 *
 * @module
 */
/**
 * Words of a ring. Each side has one commit word, `count << 1 | side`: how many messages have passed, and which of
 * its two positions is the valid one. A position is page, byte offset in it, and bytes passed (free-running).
 *
 * | word  | name      | meaning                                                             | written by                |
 * | ----- | --------- | ------------------------------------------------------------------- | ------------------------- |
 * | 0     | writeLock | leaf lock of the writers                                            |                           |
 * | 1     | tail      | commit word of the writers                                          | a writer, in the lock     |
 * | 2–4   |           | write position 0: page + 1, offset, bytes                           | a writer, while invalid   |
 * | 5–7   |           | write position 1                                                    | a writer, while invalid   |
 * | 8     | firstPage | first page ever + 1; where readers start                            | the first writer          |
 * | 16    | readLock  | leaf lock of the readers                                            |                           |
 * | 17    | head      | commit word of the readers                                          | a reader, in the lock     |
 * | 18–20 |           | read position 0: page + 1 (0: at firstPage), offset, bytes          | a reader, while invalid   |
 * | 21–23 |           | read position 1                                                     | a reader, while invalid   |
 * | 24    | taking    | tag of the reader that takes the pages of a long message; 0: nobody  | a reader, in the lock     |
 * | 25    |           | the commit word `head` that it found                                | the same, while 24 is 0   |
 * | 26–27 |           | the first of these pages, and how many                              | the same, while 24 is 0   |
 * | 32    | maxItems  | how many messages it holds; 0: any number                           | the maker                 |
 * | 33    | maxBytes  | how many bytes it holds; 0: any number                              | the maker                 |
 * | 34    | closed    | 1: nothing can be put any more                                      | anybody, once             |
 * | 36–43 | decoding  | which agents decode messages with ends in them: see `delivery.ts`   | each its bit; a reaper    |
 *
 * Its wait sets stand elsewhere, beside those of the object that it is part of: writeLock, readLock, notEmpty, notFull.
 */
export const RING = {
  writeLock: 0,
  tail: 1,
  writePositions: 2,
  firstPage: 8,
  readLock: 16,
  head: 17,
  readPositions: 18,
  taking: 24,
  takingHead: 25,
  takingPage: 26,
  takingPages: 27,
  maxItems: 32,
  maxBytes: 33,
  closed: 34,
  decoding: 36,
} as const

export const RING_WORDS = 48
/** Wait sets that a ring takes. */
export const RING_SETS = 4

/** Words of a position. */
export const POSITION_WORDS = 3

/**
 * A page of a ring: word 0 is the next page + 1 (valid once a record of it is committed), records start at byte 8.
 * A record is its length in bytes, its kind, then the bytes (or, of an extent, first page and number of pages),
 * padded to 8 bytes. `END` in place of a length: go on at the next page.
 */
export const PAGE_START = 8
export const RECORD_HEADER = 8
export const END = -1
export const KIND = { inline: 0, extent: 1 } as const
/** Added to the kind of a message that names ends of pipes. */
export const WITH_ENDS = 2

/** Bytes of a record that says where a long message lies. */
export const EXTENT_BYTES = 8

/** Bytes that a record takes with its header and padding. */
export function recordBytes(length: number): number {
  return RECORD_HEADER + ((length + 7) & ~7)
}

/** Longer messages get pages of their own: copied without the lock, received without a second copy. */
export const INLINE_MAX = 16_384
