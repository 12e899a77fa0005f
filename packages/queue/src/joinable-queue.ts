/**
 * A queue whose items are counted until they are done.
 *
 * How many were put is the ring's own count, committed with the items; only how
 * many are done is counted beside it. So there is nothing to keep in step.
 *
 * @module
 */
import {
  type Attachment,
  MultiprocessingError,
  type Origin,
  PENDING,
  type Pending,
  WaitSet,
  type WaitOptions,
  type Waitable,
  checkInteger,
  checkWaitOptions,
  deadlineAfter,
  throwIfAborted,
} from '@mp/shared-memory/internal'
import { QUEUE } from './layout.js'
import type { QueueOptions } from './options.js'
import { Queue } from './queue.js'

const COUNT_MASK = 0x7fffffff

export class JoinableQueue<T = unknown> extends Queue<T> {
  readonly #done: number
  readonly #joined: Waitable<true>

  constructor(options?: number | QueueOptions)
  /** @internal */
  constructor(options?: number | QueueOptions | Attachment)
  constructor(options?: number | QueueOptions | Attachment) {
    super(options)
    const { base } = this.handle
    this.#done = base + QUEUE.done
    const isDone = (): boolean => this.#unfinished() === 0
    this.#joined = {
      set: new WaitSet(this.session.agent, base + QUEUE.joined),
      attempt: (): true | Pending => (isDone() ? true : PENDING),
      available: isDone,
    }
  }

  /**
   * Says that `n` items that were taken are done; `join` waits for all that were put.
   *
   * @throws MultiprocessingError `ERR_MP_TASK_DONE` when that is more than were put; nothing changes then.
   */
  taskDone(n = 1): void {
    checkInteger('n', n, 1, COUNT_MASK)
    this.checkOpen()
    const { words } = this.session
    for (;;) {
      const done = Atomics.load(words, this.#done)
      if (n > ((this.ring.put - done) & COUNT_MASK)) {
        throw new MultiprocessingError(
          'ERR_MP_TASK_DONE',
          'taskDone() was called more often than items were put',
        )
      }
      // CRASH: dying after this and before the wake: a death rings everybody.
      if (Atomics.compareExchange(words, this.#done, done, (done + n) & COUNT_MASK) === done) break
    }
    if (this.#unfinished() === 0) this.#joined.set.wakeAll()
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
    if (this.#unfinished() === 0) return true
    const { waiting, agent } = this.session
    return waiting.block(this.#joined, deadlineAfter(agent, timeoutMs)) !== PENDING
  }

  #unfinished(): number {
    return (this.ring.put - Atomics.load(this.session.words, this.#done)) & COUNT_MASK
  }

  /** @internal */
  protected override onDropped(): void {
    this.taskDone()
  }

  /** @internal */
  protected override origin(): Origin {
    return { module: import.meta.url, name: 'JoinableQueue' }
  }
}
