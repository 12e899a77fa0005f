/**
 * Object shapes: the key lists that objects of one message share.
 *
 * The sender writes a key list once a message and names it by number after that. The receiver
 * remembers definitions between messages by their bytes, and gives one that keeps coming a
 * generated builder, which makes objects of one hidden class and assigns fields by name (measured:
 * four times faster than assigning by a computed key).
 *
 * @module
 */

import { empty } from './empty.js'

/** Objects with more keys than this are written as dictionaries: they are maps, not records. */
export const MAX_SHAPE_KEYS = 48

/** Finds the number of a key list in the message being written. */
export class ShapeTable {
  #lists: string[][] = []
  #last = 0
  #byFirstKey: Map<string | undefined, number[]> | undefined

  /** @returns the list's number, or -1 when it is new; it has the next number then. */
  find(keys: string[]): number {
    const lists = this.#lists
    const count = lists.length
    if (count > 0) {
      if (sameKeys(lists[this.#last], keys)) return this.#last
      const candidates = this.#candidates(keys[0])
      for (let i = 0; i < candidates.length; i++) {
        const index = candidates[i]
        if (sameKeys(lists[index], keys)) return (this.#last = index)
      }
      candidates.push(count)
    }
    lists.push(keys)
    this.#last = count
    return -1
  }

  get count(): number {
    return this.#lists.length
  }

  /** Forgets the lists numbered `count` and above. */
  truncate(count: number): void {
    if (this.#lists.length === count) return
    if (count === 0) empty(this.#lists)
    else this.#lists.length = count
    this.#last = 0
    this.#byFirstKey = undefined
  }

  /** Lists that begin with `first`; built when a message turns out to have more than one shape. */
  #candidates(first: string | undefined): number[] {
    let index = this.#byFirstKey
    if (index === undefined) {
      this.#byFirstKey = index = new Map()
      for (let i = 0; i < this.#lists.length; i++) {
        const key = this.#lists[i][0]
        const known = index.get(key)
        if (known) known.push(i)
        else index.set(key, [i])
      }
    }
    let found = index.get(first)
    if (found === undefined) index.set(first, (found = []))
    return found
  }
}

function sameKeys(a: string[], b: string[]): boolean {
  const { length } = a
  if (length !== b.length) return false
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false
  return true
}
