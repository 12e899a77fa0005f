/**
 * A queue whose items are counted until they are done.
 *
 * How many were put is the ring's own count, committed with the items; only how
 * many are done is counted beside it. So there is nothing to keep in step. A queue
 * that is acknowledged counts nothing: `claims.ts` tells what is not done.
 *
 * @module
 */
import { decodeLater, dumps, loads } from '@mp/pickle'
import {
  Attachment,
  Loan,
  MultiprocessingError,
  type Origin,
  type Outgoing,
  PENDING,
  type Target,
  type Tracked,
  WaitSet,
  type WaitOptions,
  type Waitable,
  checkInteger,
  checkWaitOptions,
  deadlineAfter,
  keepInFlight,
  throwIfAborted,
} from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { AcknowledgedRing } from './acknowledged-ring.js'
import type { TakenItem } from './claims.js'
import { QueueShutDownError } from './errors.js'
import { take, takeSync } from './getting.js'
import { QUEUE } from './layout.js'
import { type Lent, type Loanable, lend } from './lending.js'
import {
  type JoinableQueueOptions,
  type QueueWaitOptions,
  type ShutdownOptions,
  checkAcknowledge,
  checkQueueOptions,
  checkShutdown,
} from './options.js'
import { Queue } from './queue.js'
import { QueueTask } from './queue-task.js'
import { WrappedOutgoing, wrap } from './wrapping.js'

const COUNT_MASK = 0x7fffffff

/**
 * A queue that knows when all its items are done; Python's `multiprocessing.JoinableQueue`.
 *
 * With `acknowledge`, what a dead process had taken and not done is delivered again.
 */
export class JoinableQueue<T = unknown> extends Queue<T> {
  readonly #done: number
  readonly #joined: Waitable<true>
  readonly #kept: AcknowledgedRing | undefined

  /**
   * @param options the most items the queue holds (0: any number), or `maxSize`, `maxBytes` and `acknowledge`.
   * @throws TypeError or RangeError for a bound that is not a non-negative integer.
   */
  constructor(options?: number | JoinableQueueOptions)
  /** @internal */
  constructor(options?: number | JoinableQueueOptions | Attachment)
  constructor(options?: number | JoinableQueueOptions | Attachment) {
    super(options, !(options instanceof Attachment) && checkAcknowledge(options))
    const { base } = this.handle
    const { ring } = this
    this.#kept = ring instanceof AcknowledgedRing ? ring : undefined
    this.#done = base + QUEUE.done
    const isDone = (): boolean => this.#isDone()
    this.#joined = {
      set: new WaitSet(this.session.agent, base + QUEUE.joined),
      attempt: () => (isDone() ? true : PENDING),
      available: isDone,
    }
  }

  /** Whether what is taken is delivered again if its taker dies before it is done. */
  get acknowledge(): boolean {
    return this.#kept !== undefined
  }

  /**
   * Says that `n` items that were taken are done; `join` waits for all that were put.
   *
   * Of an acknowledged queue these are the oldest that this process or thread has taken by `get` and has not finished.
   *
   * @throws MultiprocessingError `ERR_MP_TASK_DONE` when that is more than were put, or of an acknowledged queue taken
   * here; nothing changes then.
   */
  taskDone(n = 1): void {
    checkInteger('n', n, 1, COUNT_MASK)
    this.checkOpen()
    if (!(this.#kept === undefined ? this.#count(n) : this.#kept.finishOldest(n))) {
      throw new MultiprocessingError(
        'ERR_MP_TASK_DONE',
        this.#kept === undefined
          ? 'taskDone() was called more often than items were put'
          : 'taskDone() was called more often than get(): of an acknowledged queue, whoever takes an item finishes it',
      )
    }
    this.#wakeJoiners()
  }

  /**
   * Takes the first item of an acknowledged queue as a task; waits while there is none.
   *
   * `taskDone()` is for what `get` takes; a task is finished by its own `done()`. An item that cannot be decoded is given
   * back.
   *
   * @throws QueueEmptyError, or QueueShutDownError once the queue is shut down and drained. An acknowledged queue is
   * drained when all is done: until then items of others may come back. Only who has unfinished items itself is told
   * so as soon as nothing is left to take. MultiprocessingError `ERR_MP_NOT_ACKNOWLEDGED` if the queue is none.
   */
  async getTask(options?: QueueWaitOptions): Promise<QueueTask<T>> {
    const timeoutMs = checkQueueOptions(options)
    const ring = this.#acknowledged()
    throwIfAborted(options)
    const taken = await take(this.session, ring.takingTask(), timeoutMs, options?.signal)
    try {
      return this.#task(ring, taken, await decodeLater(taken.message))
    } catch (error) {
      if (ring.has(taken.hold)) ring.giveBack(taken.hold)
      throw error
    }
  }

  /** `getTask`, blocking this thread while there is no item. */
  getTaskSync(options?: QueueWaitOptions): QueueTask<T> {
    const timeoutMs = checkQueueOptions(options)
    const ring = this.#acknowledged()
    throwIfAborted(options)
    const taken = ring.tryTakeTask() ?? takeSync(this.session, ring, ring.takingTask(), timeoutMs)
    return this.#decodeTask(ring, taken)
  }

  /** Takes the first item as a task if there is one. */
  tryGetTask(): QueueTask<T> | null {
    const ring = this.#acknowledged()
    const taken = ring.tryTakeTask()
    if (taken !== null) return this.#decodeTask(ring, taken)
    if (ring.drained) throw new QueueShutDownError()
    return null
  }

  /** Gets tasks until the queue is shut down and everything is done. */
  async *tasks(): AsyncGenerator<QueueTask<T>, void, undefined> {
    for (;;) {
      let task: QueueTask<T>
      try {
        task = await this.getTask()
      } catch (error) {
        if (error instanceof QueueShutDownError) return
        throw error
      }
      yield task
    }
  }

  /**
   * Waits until every item that was put is done.
   *
   * @returns false when `timeout` (milliseconds) passes first.
   */
  async join(options?: WaitOptions): Promise<boolean> {
    const timeoutMs = checkWaitOptions(options)
    this.checkOpen()
    const result = await this.session.waiting.async(this.#joined, timeoutMs, options?.signal)
    return result !== PENDING
  }

  /** `join`, blocking this thread. */
  joinSync(options?: WaitOptions): boolean {
    const timeoutMs = checkWaitOptions(options)
    this.checkOpen()
    throwIfAborted(options)
    if (this.#isDone()) return true
    const { waiting, agent } = this.session
    return waiting.block(this.#joined, deadlineAfter(agent, timeoutMs)) !== PENDING
  }

  /** As a queue's; of an acknowledged one, items that wait to be delivered again count, too. */
  override qsize(): number {
    return this.#kept === undefined ? super.qsize() : this.#acknowledged().countAvailable()
  }

  override shutdown(options: ShutdownOptions = {}): void {
    if (this.#kept === undefined || !checkShutdown(options)) return super.shutdown(options)
    this.#acknowledged().closeAndDrop()
    this.#wakeJoiners()
  }

  /** As a queue's; what was taken here from an acknowledged one and is not done is given back. */
  override close(): void {
    if (this.#kept !== undefined && !this.isClosed) {
      this.#kept.leave()
      this.#wakeJoiners()
    }
    super.close()
  }

  /** @internal */
  protected override newMessage(
    target: Target,
    through: number,
    isFirst: boolean,
    maxBytes: number,
  ): Outgoing {
    return this.#kept === undefined
      ? super.newMessage(target, through, isFirst, maxBytes)
      : new WrappedOutgoing(target, through, isFirst, maxBytes)
  }

  /** @internal */
  protected override encode(items: readonly Loanable<T>[]): Tracked<Lent> {
    if (this.#kept === undefined) return super.encode(items)
    this.checkCount(items)
    const tracked: Tracked<Uint8Array>[] = []
    const cancel = (isLost?: boolean): void => {
      for (const one of tracked) one.cancel(isLost)
    }
    try {
      // One by one: each item carries its own copies, for it may be decoded several times.
      const messages = items.map((item) => {
        if (item instanceof Loan) return item
        const one = keepInFlight(() => dumps(item))
        tracked.push(one)
        return wrap(one.result, one.copies())
      })
      this.checkSizes(messages)
      return {
        result: lend(messages),
        hasCopies: tracked.some(({ hasCopies }) => hasCopies),
        cancel,
        give: (through) => {
          for (const one of tracked) one.give(through)
          return undefined
        },
        copies: () => tracked.flatMap((one) => one.copies()),
      }
    } catch (error) {
      cancel()
      throw error
    }
  }

  /** @internal */
  protected override onDropped(): void {
    this.taskDone()
  }

  /** @internal */
  protected override origin(): Origin {
    return { module: ORIGIN, name: 'JoinableQueue' }
  }

  #isDone(): boolean {
    return this.#kept === undefined ? this.#unfinished() === 0 : this.#kept.isDone()
  }

  #unfinished(): number {
    return (this.ring.put - Atomics.load(this.session.words, this.#done)) & COUNT_MASK
  }

  /** Counts `n` more as done; false, and nothing, if that is more than were put. */
  #count(n: number): boolean {
    const { words } = this.session
    for (;;) {
      const done = Atomics.load(words, this.#done)
      if (n > ((this.ring.put - done) & COUNT_MASK)) return false
      // CRASH: dying after this and before the wake: a death rings everybody.
      if (Atomics.compareExchange(words, this.#done, done, (done + n) & COUNT_MASK) === done) {
        return true
      }
    }
  }

  #wakeJoiners(): void {
    // SYNC: something was done, then we look who waits; who waits arms, then looks what is done.
    if (this.#joined.set.any() && this.#isDone()) this.#joined.set.wakeAll()
  }

  #acknowledged(): AcknowledgedRing {
    this.checkOpen()
    if (this.#kept === undefined) {
      throw new MultiprocessingError(
        'ERR_MP_NOT_ACKNOWLEDGED',
        'The queue was made without `acknowledge: true`; use get() and taskDone()',
      )
    }
    return this.#kept
  }

  #decodeTask(ring: AcknowledgedRing, taken: TakenItem): QueueTask<T> {
    try {
      return this.#task(ring, taken, loads(taken.message))
    } catch (error) {
      ring.giveBack(taken.hold)
      throw error
    }
  }

  #task(ring: AcknowledgedRing, { hold, redelivered }: TakenItem, value: unknown): QueueTask<T> {
    return new QueueTask(value as T, redelivered, {
      has: () => ring.has(hold),
      finish: () => {
        ring.finish(hold)
        this.#wakeJoiners()
      },
      giveBack: () => {
        ring.giveBack(hold)
        // SYNC: given back, then we look whether everything is dropped by now; who drops says so, then looks.
        this.#wakeJoiners()
      },
    })
  }
}
