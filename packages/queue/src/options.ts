/**
 * Options of queues and of their calls, checked.
 *
 * @module
 */
import {
  type LeaseOption,
  type WaitOptions,
  checkLease,
  checkInteger,
  checkWaitOptions,
  wrongType,
} from '@mp/shared-memory/internal'

/** How much a queue holds before puts wait. */
export interface QueueOptions {
  /**
   * The most items; 0: any number.
   *
   * @default 0
   */
  maxSize?: number
  /**
   * The most bytes of encoded items; 0: as many as the session's memory holds.
   *
   * @default 0
   */
  maxBytes?: number
}

/** How a joinable queue holds its items. */
export interface JoinableQueueOptions extends QueueOptions {
  /**
   * Whether an item that was taken is delivered again, marked as such, if its taker dies before it is done.
   *
   * @default false
   */
  acknowledge?: boolean
}

/** Options of `put` and `get`. */
export interface QueueWaitOptions extends WaitOptions {
  /**
   * False: do not wait, whatever `timeout` says.
   *
   * @default true
   */
  block?: boolean
}

/** Options of `get`, whether with a lease or not. */
export interface TakeOptions extends QueueWaitOptions, Partial<LeaseOption> {}

/** Options of `shutdown`. */
export interface ShutdownOptions {
  /**
   * Drops what is still queued, so that gets fail at once.
   *
   * @default false
   */
  immediate?: boolean
}

/** A queue's bounds with everything filled in; 0: none. */
export interface QueueBounds {
  readonly maxSize: number
  readonly maxBytes: number
}

const MAX_ITEMS = 0x3fffffff
const MAX_BYTES = 0x7fffffff

export function checkBounds(options: number | QueueOptions): QueueBounds {
  if (typeof options === 'number') {
    return { maxSize: checkInteger('maxSize', options, 0, MAX_ITEMS), maxBytes: 0 }
  }
  if (typeof options !== 'object' || options === null) {
    throw wrongType('maxSize', 'a non-negative integer or an object', options)
  }
  return {
    maxSize: checkInteger('maxSize', options.maxSize ?? 0, 0, MAX_ITEMS),
    maxBytes: checkInteger('maxBytes', options.maxBytes ?? 0, 0, MAX_BYTES),
  }
}

export function checkAcknowledge(options: number | JoinableQueueOptions | undefined): boolean {
  if (typeof options !== 'object' || options === null) return false
  const { acknowledge = false } = options
  if (typeof acknowledge !== 'boolean') throw wrongType('acknowledge', 'a boolean', acknowledge)
  return acknowledge
}

export function checkQueueOptions(options: TakeOptions | undefined): number {
  const timeoutMs = checkWaitOptions(options)
  checkLease(options)
  if (options?.block !== undefined && typeof options.block !== 'boolean') {
    throw wrongType('block', 'a boolean', options.block)
  }
  return options?.block === false ? 0 : timeoutMs
}

/** Whether what is queued is to be dropped. */
export function checkShutdown(options: ShutdownOptions): boolean {
  if (typeof options !== 'object' || options === null) {
    throw wrongType('options', 'an object with `immediate`', options)
  }
  const { immediate = false } = options
  if (typeof immediate !== 'boolean') throw wrongType('immediate', 'a boolean', immediate)
  return immediate
}

export function checkIterable<T>(items: Iterable<T>): Iterable<T> {
  if (typeof (items as Partial<Iterable<T>> | null | undefined)?.[Symbol.iterator] !== 'function') {
    throw wrongType('items', 'an iterable', items)
  }
  return items
}
