/**
 * Turns a ring of this thread's bell into a callback on its event loop, by `Atomics.waitAsync`.
 *
 * One wait is always pending, and a ring that comes between two of them is seen by the look at `parked` that
 * follows the second. A pending wait does not keep the event loop alive: a timer does.
 *
 * @module
 */
import { PARKED } from '../layout.js'

type WaitAsync = (
  words: Int32Array,
  word: number,
  expected: number,
) => { async: false; value: string } | { async: true; value: Promise<string> }

const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync }

const LONGEST_MS = 0x7fffffff

export class Waiter {
  readonly #words: Int32Array
  readonly #bell: number
  readonly #parked: number
  readonly #callback: () => void
  readonly #alive: NodeJS.Timeout = setInterval(() => {}, LONGEST_MS).unref()
  #isStopped = false

  constructor(words: Int32Array, bell: number, parked: number, callback: () => void) {
    this.#words = words
    this.#bell = bell
    this.#parked = parked
    this.#callback = callback
    this.#listen()
  }

  ref(): void {
    this.#alive.ref()
  }

  unref(): void {
    this.#alive.unref()
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#alive)
  }

  #listen(): void {
    for (;;) {
      const wait = waitAsync(this.#words, this.#bell, Atomics.load(this.#words, this.#bell))
      if (!wait.async) continue
      // A microtask of its own: what the callback throws is an uncaught exception, not a rejection.
      void wait.value.then(() => queueMicrotask(this.#onRing))
      return
    }
  }

  readonly #onRing = (): void => {
    if (this.#isStopped) return
    this.#listen()
    // SYNC: after the wait has begun. Who rang before it had added to the bell: the callback looks at all that it
    // could tell of. Who rings after it ends that wait.
    const parked = Atomics.and(this.#words, this.#parked, ~PARKED.async)
    if ((parked & PARKED.async) !== 0) this.#callback()
  }
}
