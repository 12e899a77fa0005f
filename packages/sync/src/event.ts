/**
 * A flag that can be waited for, shared between processes and threads.
 *
 * One word: `pulses << 1 | flag`. Setting counts a pulse, so a waiter that comes
 * too late to see the flag still sees that it was up: `set(); clear()` wakes all.
 *
 * @module
 */
import {
  type Attachment,
  OBJECT_TYPE,
  type Origin,
  PENDING,
  type Pending,
  type Sentinel,
  SharedObject,
  WAIT_SET_WORDS,
  type WaitOptions,
  WaitSet,
  type Waitable,
  checkWaitOptions,
  deadlineAfter,
  sentinelFor,
  throwIfAborted,
  waitableSymbol,
} from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'

/**
 * Words of an event.
 *
 * | word  | name    | values                                                       |
 * | ----- | ------- | ------------------------------------------------------------ |
 * | 0     | state   | `pulses << 1 | flag`; any process changes it, by CAS         |
 * | 16–31 | waiters | wait set                                                     |
 */
const EVENT = { state: 0, waiters: 16 } as const
const FLAG = 1
const PULSE = 2

/** One wait: over when the flag is up, or was since the wait began. */
class Watch implements Waitable<true> {
  readonly set: WaitSet
  readonly #words: Int32Array
  readonly #state: number
  readonly #seen: number

  constructor(set: WaitSet, words: Int32Array, state: number) {
    this.set = set
    this.#words = words
    this.#state = state
    this.#seen = Atomics.load(words, state) & ~FLAG
  }

  attempt(): true | Pending {
    const state = Atomics.load(this.#words, this.#state)
    return (state & FLAG) !== 0 || state !== this.#seen ? true : PENDING
  }

  /** Whoever sets wakes all; there is nothing to pass on. */
  available(): boolean {
    return false
  }
}

/**
 * A flag that processes wait for; Python's `multiprocessing.Event`.
 *
 * It holds nothing, so no death damages it: what was set stays set.
 *
 * @example
 * const ready = new Event()
 * ready.set() // in one process
 * await ready.wait() // in any number of others
 */
export class Event extends SharedObject {
  readonly #set: WaitSet
  readonly #state: number

  /** Makes an event that is not set. It ends when nobody can use it any more. */
  constructor()
  /** @internal */
  constructor(attachment?: Attachment)
  constructor(attachment?: Attachment) {
    const shape = { words: EVENT.waiters + WAIT_SET_WORDS, sets: EVENT.waiters, setCount: 1 }
    super(attachment, { type: OBJECT_TYPE.event, ...shape }, () => {})
    this.#state = this.handle.base + EVENT.state
    this.#set = new WaitSet(this.session.agent, this.handle.base + EVENT.waiters)
  }

  /** Whether the flag is up. */
  isSet(): boolean {
    return (Atomics.load(this.use(this.session).words, this.#state) & FLAG) !== 0
  }

  /** Puts the flag up and wakes everybody who waits; it stays up until `clear()`. */
  set(): void {
    const { words } = this.use(this.session)
    for (;;) {
      const state = Atomics.load(words, this.#state)
      if ((state & FLAG) !== 0) break
      const next = (state + PULSE) | FLAG
      if (Atomics.compareExchange(words, this.#state, state, next) === state) break
    }
    // CRASH: dying before this leaves them asleep; any death rings everybody, and they see the flag or the pulse.
    // Also when the flag was up already: whoever put it up may be stopped right here.
    this.#set.wakeAll()
  }

  /** Takes the flag down. Whoever waited when it was put up gets on all the same. */
  clear(): void {
    Atomics.and(this.use(this.session).words, this.#state, ~FLAG)
  }

  /**
   * Waits until the flag is up, or has been since the call.
   *
   * Rejects with the signal's reason when that aborts.
   *
   * @returns false when `timeout` (milliseconds) passes first.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    const timeoutMs = checkWaitOptions(options)
    throwIfAborted(options)
    const watch = this.#watch()
    if (watch.attempt() === true) return true
    const result = await this.session.waiting.async(watch, timeoutMs, options?.signal)
    return result !== PENDING
  }

  /**
   * Blocks this thread until the flag is up, or has been since the call.
   *
   * @returns false when `timeout` (milliseconds) passes first.
   */
  waitSync(options?: WaitOptions): boolean {
    const timeoutMs = checkWaitOptions(options)
    throwIfAborted(options)
    const watch = this.#watch()
    if (watch.attempt() === true) return true
    const { waiting, agent } = this.session
    return waiting.block(watch, deadlineAfter(agent, timeoutMs)) !== PENDING
  }

  /** For `wait()`: ready when it is set, or has been since. @internal */
  sentinel(): Sentinel {
    return sentinelFor(this.session, this.#watch())
  }

  /** @internal */
  protected origin(): Origin {
    return { module: ORIGIN, name: 'Event' }
  }

  #watch(): Watch {
    return new Watch(this.#set, this.use(this.session).words, this.#state)
  }
}

Object.defineProperty(Event.prototype, waitableSymbol, { value: Event.prototype.sentinel })
