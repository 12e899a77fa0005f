/**
 * The states seen so far, by fingerprint, each with how much freedom was left when it was gone on from.
 *
 * An open hash table of numbers: a `Map` ends at 2²⁴ entries and takes four times the memory.
 *
 * @module
 */
export class Seen {
  #keys = new Float64Array(1 << 16)
  #left = new Int8Array(1 << 16)
  size = 0

  /** Notes a state; false when it was seen before with at least as much left. */
  add(key: number, left: number): boolean {
    if (2 * this.size > this.#keys.length) this.#grow()
    const at = this.#find(key)
    if (this.#keys[at] !== 0 && this.#left[at] >= left) return false
    if (this.#keys[at] === 0) this.size++
    this.#keys[at] = key
    this.#left[at] = left
    return true
  }

  #find(key: number): number {
    const mask = this.#keys.length - 1
    let at = (key ^ (key / 0x100000000)) & mask
    while (this.#keys[at] !== 0 && this.#keys[at] !== key) at = (at + 1) & mask
    return at
  }

  #grow(): void {
    const keys = this.#keys
    const left = this.#left
    this.#keys = new Float64Array(2 * keys.length)
    this.#left = new Int8Array(2 * keys.length)
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0) continue
      const at = this.#find(keys[i])
      this.#keys[at] = keys[i]
      this.#left[at] = left[i]
    }
  }
}
