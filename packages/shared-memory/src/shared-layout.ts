/**
 * The words of the objects that end when nobody uses them: `SharedArray`, `SharedValue`, `ShareableList`.
 *
 * The one thing to know: words 0–3 mean the same in all of them, so that a reaper
 * can end an object whose class it never loaded. `shared-lifetime.ts` has the protocol.
 *
 * @module
 */
import { UNIT_WORDS } from './layout.js'

/**
 * Body of such an object: one unit.
 *
 * | word  | name       | meaning                                                               | written by               |
 * | ----- | ---------- | --------------------------------------------------------------------- | ------------------------ |
 * | 0     | life       | ≥ 0: how often a copy has left or arrived; < 0: `~tag` of who ends it | users · who ends it      |
 * | 1     | inFlight   | copies that are on their way                                          | senders, receivers       |
 * | 2     | page       | first of its data pages                                               | its creator, once        |
 * | 3     | pages      | how many data pages; 0: none                                          | its creator, once        |
 * | 4     | type       | code of the element type, see `number-types.ts`                       | its creator, once        |
 * | 5–6   | length     | number of elements: low, then high 32 bits                            | its creator, once        |
 * | 8–9   | value      | a `SharedValue`'s value                                               | anyone, one atomic store |
 * | 10    | lock       | leaf lock of a `ShareableList`'s writers                              | writers                  |
 * | 16–23 | lockSet    | wait set of that lock                                                 | writers                  |
 */
export const OWNED = {
  life: 0,
  inFlight: 1,
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
