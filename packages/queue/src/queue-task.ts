/**
 * An item of an acknowledged queue in the hands of whoever has taken it.
 *
 * @module
 */
import { MultiprocessingError } from '@mp/shared-memory/internal'

/** What a task asks of the queue that it is from. */
export interface TaskOwner {
  /** Whether this agent has the item still. */
  has(): boolean
  finish(): void
  giveBack(): void
}

/**
 * An item that was taken and is not done; see `JoinableQueue.getTask`.
 *
 * Until `done()` it belongs to this process or thread. If that dies first, or gives it back, another gets it.
 *
 * @example
 * using task = await queue.getTask()
 * if (task.redelivered < 3) await handle(task.value)
 * task.done() // without it, leaving the block gives the item back
 */
export class QueueTask<T> {
  /** The item. */
  readonly value: T
  /**
   * How often it was delivered before: 0 the first time. More than that means that somebody who had it died or gave it
   * back, and may have done a part of the work.
   */
  readonly redelivered: number
  readonly #owner: TaskOwner

  /** Tasks come from `getTask`. @internal */
  constructor(value: T, redelivered: number, owner: TaskOwner) {
    this.value = value
    this.redelivered = redelivered
    this.#owner = owner
  }

  /**
   * Says that the item is done: nobody gets it again, and `join` does not wait for it.
   *
   * @throws MultiprocessingError `ERR_MP_TASK_DONE` when it is done already or was given back.
   */
  done(): void {
    if (!this.#owner.has()) {
      throw new MultiprocessingError('ERR_MP_TASK_DONE', 'The task is done or was given back')
    }
    this.#owner.finish()
  }

  /** Lets another take the item (or this process, if it asks first), unless it is done. */
  giveBack(): void {
    if (this.#owner.has()) this.#owner.giveBack()
  }

  /** As `giveBack`: what is not done when it leaves its scope is done by another. */
  [Symbol.dispose](): void {
    this.giveBack()
  }
}
