/**
 * A point that a number of parties pass together, between processes and threads.
 *
 * The protocol is in `barrier-core.ts`. The action and the default timeout travel
 * with the handle.
 *
 * @module
 */
import {
  Attachment,
  OBJECT_TYPE,
  type Origin,
  PENDING,
  type Pending,
  SharedObject,
  type WaitOptions,
  type Waitable,
  checkInteger,
  checkWaitOptions,
  deadlineAfter,
  throwIfAborted,
  wrongType,
} from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { BARRIER, BarrierCore, type Outcome, type Place, barrierShape } from './barrier-core.js'
import { Entry, Party } from './barrier-waits.js'
import { BrokenBarrierError } from './errors.js'

/** How a barrier behaves. */
export interface BarrierOptions {
  /**
   * Called by the last party to come, before any passes; `wait` (not `waitSync`) awaits what it
   * returns. What it throws breaks the barrier and is thrown by that party.
   *
   * @default none
   */
  action?: (() => unknown) | undefined
  /**
   * How long a party waits that says nothing else, in milliseconds.
   *
   * @default Infinity
   */
  timeout?: number | undefined
}

/**
 * A barrier for a fixed number of parties; Python's `multiprocessing.Barrier`.
 *
 * It can be used round after round. It breaks, for all who wait and all who come, when a party's
 * time is up, when one is aborted, when `action` throws, when a process dies that had come, and by
 * `abort()`; `reset()` makes it whole again.
 *
 * It also breaks, instead of waiting for ever, when a process or thread that held it has ended, and
 * all that still hold it have come. Then one that is to come twice in a round, asynchronously, is not waited
 * for, neither in that round nor in later ones: after such a loss make a new barrier for it.
 *
 * @example
 * const start = new Barrier(3)
 * const index = await start.wait() // 0, 1 or 2, when all three are there
 */
export class Barrier extends SharedObject {
  readonly #core: BarrierCore
  readonly #action: (() => unknown) | undefined
  readonly #timeoutMs: number

  /** Makes a barrier for `parties` parties, a positive integer. It ends when nobody can use it any more. */
  constructor(parties: number, options?: BarrierOptions)
  /** @internal */
  constructor(partiesOrAttachment: number | Attachment, options?: BarrierOptions)
  constructor(partiesOrAttachment: number | Attachment, options?: BarrierOptions) {
    const isAttachment = partiesOrAttachment instanceof Attachment
    const attachment = isAttachment ? partiesOrAttachment : undefined
    const parties = isAttachment ? 0 : checkInteger('parties', partiesOrAttachment, 1, MAX_PARTIES)
    const settings = isAttachment ? (partiesOrAttachment.extra as BarrierOptions) : options
    const timeoutMs = checkWaitOptions(settings)
    const action = settings?.action
    if (action !== undefined && typeof action !== 'function') {
      throw wrongType('action', 'a function', action)
    }
    super(attachment, { type: OBJECT_TYPE.barrier, ...barrierShape() }, (words, base) => {
      Atomics.store(words, base + BARRIER.parties, parties)
    })
    this.#core = new BarrierCore(this.session, this.handle.base, this.handle.index)
    this.#action = action
    this.#timeoutMs = timeoutMs
  }

  /** How many parties pass together. */
  get parties(): number {
    return this.#core.parties
  }

  /** How many parties have come and wait; 0 when the barrier is broken. */
  get waiting(): number {
    return this.#usable().arrived()
  }

  /** Whether the barrier is broken: every wait throws until `reset()`. */
  get broken(): boolean {
    return this.#usable().isBroken()
  }

  /**
   * Waits until all parties have come.
   *
   * A timeout (milliseconds; the constructor's when left out) or an abort of one party breaks the
   * barrier for all; the aborted one rejects with the signal's reason.
   *
   * @returns the order in which it came: 0 … parties − 1, each once a round.
   * @throws BrokenBarrierError (`ERR_MP_BROKEN_BARRIER`) when the barrier is or gets broken, or is reset.
   */
  async wait(options?: WaitOptions): Promise<number> {
    const { agent, waiting } = this.session
    const deadline = deadlineAfter(agent, this.#checkOptions(options))
    throwIfAborted(options)
    const waitFor = async <T>(waitable: Waitable<T>, place?: Place): Promise<T | Pending> => {
      const first = waitable.attempt()
      if (first !== PENDING) return first
      try {
        return await waiting.async(waitable, deadline - agent.platform.now(), options?.signal)
      } catch (reason) {
        this.#usable().break(place?.round)
        throw reason
      }
    }
    const place = this.#placed(await waitFor(this.#entry()))
    if (this.#isLast(place)) {
      try {
        await this.#action?.()
      } catch (error) {
        this.#usable().break(place.round)
        throw error
      }
      return this.#pass(place)
    }
    return this.#leave(place, await waitFor(new Party(this.#usable(), place), place))
  }

  /**
   * Blocks this thread until all parties have come.
   *
   * A timeout (milliseconds; the constructor's when left out) breaks the barrier for all.
   *
   * @returns the order in which it came: 0 … parties − 1, each once a round.
   * @throws BrokenBarrierError (`ERR_MP_BROKEN_BARRIER`) when the barrier is or gets broken, or is reset.
   */
  waitSync(options?: WaitOptions): number {
    const { agent, waiting } = this.session
    const deadline = deadlineAfter(agent, this.#checkOptions(options))
    throwIfAborted(options)
    const waitFor = <T>(waitable: Waitable<T>): T | Pending => {
      const first = waitable.attempt()
      return first === PENDING ? waiting.block(waitable, deadline) : first
    }
    const place = this.#placed(waitFor(this.#entry()))
    if (this.#isLast(place)) {
      try {
        this.#action?.()
      } catch (error) {
        this.#usable().break(place.round)
        throw error
      }
      return this.#pass(place)
    }
    return this.#leave(place, waitFor(new Party(this.#usable(), place)))
  }

  /** Begins a new round, whole again if it was broken; parties that wait get a BrokenBarrierError. */
  reset(): void {
    this.#usable().reset()
  }

  /** Breaks the barrier: whoever waits or comes gets a BrokenBarrierError, until `reset()`. */
  abort(): void {
    this.#usable().break()
  }

  /** @internal */
  protected origin(): Origin {
    return { module: ORIGIN, name: 'Barrier' }
  }

  /** @internal */
  protected override extra(): BarrierOptions {
    return { action: this.#action, timeout: this.#timeoutMs }
  }

  #usable(): BarrierCore {
    return this.use(this.#core)
  }

  #checkOptions(options: WaitOptions | undefined): number {
    const timeoutMs = checkWaitOptions(options)
    return options?.timeout === undefined ? this.#timeoutMs : timeoutMs
  }

  #entry(): Entry {
    return new Entry(this.#usable(), this.#action === undefined)
  }

  /** The place of a party that found room. */
  #placed(entered: Place | 'broken' | Pending): Place {
    if (typeof entered === 'object') return entered
    if (entered === PENDING) this.#usable().break()
    throw broken()
  }

  /** Whether the party has to run the action. */
  #isLast(place: Place): boolean {
    return this.#action !== undefined && place.index + 1 === this.parties
  }

  /** Lets the others pass, if the round has not failed while the action ran. */
  #pass(place: Place): number {
    this.#usable().pass(place.round)
    return this.#leave(place, this.#usable().outcome(place))
  }

  /** Ends a wait: with the place, or by breaking what it has waited for in vain. */
  #leave(place: Place, result: Outcome | Pending): number {
    let outcome = result
    if (outcome === PENDING) {
      this.#usable().break(place.round)
      // The time may have been up at the very moment when the last party came.
      outcome = this.#usable().outcome(place)
    }
    if (outcome === 'passed') return place.index
    throw broken()
  }
}

const MAX_PARTIES = 1 << 24

function broken(): BrokenBarrierError {
  return new BrokenBarrierError('This Barrier is broken or was reset')
}
