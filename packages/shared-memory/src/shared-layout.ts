/**
 * The words of `SharedArray`, `SharedValue` and `ShareableList`.
 *
 * @module
 */
import { UNIT_WORDS } from './layout.js'

/**
 * Body of such an object: one unit.
 *
 * | word  | name       | meaning                                                               | written by               |
 * | ----- | ---------- | --------------------------------------------------------------------- | ------------------------ |
 * | 2     | page       | first of its data pages                                               | its creator, once        |
 * | 3     | pages      | how many data pages; 0: none                                          | its creator, once        |
 * | 4     | type       | code of the element type, see `number-types.ts`                       | its creator, once        |
 * | 5–6   | length     | number of elements: low, then high 32 bits                            | its creator, once        |
 * | 8–9   | value      | a `SharedValue`'s value                                               | anyone, one atomic store |
 * | 10    | lock       | leaf lock of a `ShareableList`'s writers                              | writers                  |
 * | 16–31 | lockSet    | wait set of that lock                                                 | writers                  |
 */
export const OWNED = {
  page: 2,
  pages: 3,
  type: 4,
  lengthLow: 5,
  lengthHigh: 6,
  value: 8,
  lock: 10,
  lockSet: 16,
} as const

export const OWNED_WORDS: number = UNIT_WORDS
