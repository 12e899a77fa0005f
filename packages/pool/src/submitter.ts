/**
 * Turns calls into tasks.
 *
 * @module
 */
import { encodeTo } from '@mp/pickle'
import { checkInteger, collectNotes, wrongType } from '@mp/shared-memory/internal'
import { type Items, checkItems, countOf } from './chunks.js'
import type { Dispatcher } from './dispatcher.js'
import type { SentFunction, SentFunctions } from './functions.js'
import { Imap } from './imap.js'
import { MapCall } from './map-call.js'
import { MODE } from './messages.js'
import {
  type CheckedTaskOptions,
  type ImapCallOptions,
  type MapOptions,
  type TaskOptions,
  checkBoolean,
  checkChunkSize,
  checkFunction,
  checkTaskOptions,
} from './options.js'
import type { PoolRecord } from './pool-record.js'
import { ProgressReport } from './progress.js'
import type { SharedArguments } from './shared-arguments.js'
import type { Receiver, Task } from './task.js'

export type AnyFunction = (...args: never[]) => unknown

/** What a submitter needs of its pool. */
export interface SubmitterPool {
  readonly dispatcher: Pick<Dispatcher, 'newTask' | 'submit' | 'discard' | 'now'>
  readonly functions: Pick<SentFunctions, 'use' | 'release'>
  readonly shared: SharedArguments
  readonly record: Pick<PoolRecord, 'encoded'>
  /** How many workers there are to be. */
  size(): number
  /** Throws when the pool takes no more tasks. */
  checkOpen(): void
  /** Throws when too many wait already. */
  checkRoom(): void
}

const NO_ARGUMENTS: readonly unknown[] = []

export class Submitter {
  readonly #pool: SubmitterPool

  constructor(pool: SubmitterPool) {
    this.#pool = pool
  }

  /** `fn(...args)` as one task. Throws what is wrong with the call. */
  call(
    fn: AnyFunction,
    args: readonly unknown[] = NO_ARGUMENTS,
    options: TaskOptions | undefined,
    receiver: Receiver,
  ): Task {
    checkFunction('fn', fn)
    if (!Array.isArray(args)) throw wrongType('args', 'an array', args)
    const checked = checkTaskOptions(options)
    this.#pool.checkOpen()
    this.#pool.checkRoom()
    const { functions, shared } = this.#pool
    const sent = functions.use(fn)
    try {
      return this.submit(MODE.call, sent, shared.replace(args), 1, checked, receiver)
    } finally {
      functions.release(sent)
    }
  }

  /** All items in chunks; settles with an array of results or outcomes, or with the first error. */
  map(
    fn: AnyFunction,
    items: readonly unknown[],
    isStar: boolean,
    options: MapOptions | undefined,
    receiver: Receiver,
  ): void {
    checkFunction('fn', fn)
    const checked = checkTaskOptions(options)
    const { settle = false } = options ?? {}
    checkBoolean('settle', settle)
    const chunkSize = checkChunkSize(options?.chunkSize)
    const { functions } = this.#pool
    this.#pool.checkOpen()
    this.#pool.checkRoom()
    if (items.length === 0) return receiver.resolve([])
    if (isStar) checkRows(items)
    const sent = functions.use(fn)
    try {
      const call = { sent, items, isStar, settle, chunkSize, options: checked, receiver }
      new MapCall(this, this.#pool, call).start()
    } finally {
      functions.release(sent)
    }
  }

  /** Items one by one or in small chunks, as the consumer asks for them. */
  imap<T, R>(
    fn: (item: T) => R,
    items: Items<T>,
    options: ImapCallOptions | undefined,
    ordered: boolean,
  ): AsyncIterableIterator<Awaited<R>> {
    return this.#imap<T, Awaited<R>>(fn, items, options, ordered, false)
  }

  /** The same with each item an array of arguments; in order. */
  starImap(
    fn: AnyFunction,
    rows: Items<readonly unknown[]>,
    options: ImapCallOptions,
  ): Imap<readonly unknown[], unknown> {
    return this.#imap(fn, rows, options, true, true)
  }

  #imap<T, R>(
    fn: AnyFunction,
    items: Items<T>,
    options: ImapCallOptions | undefined,
    ordered: boolean,
    isStar: boolean,
  ): Imap<T, R> {
    checkFunction('fn', fn)
    checkItems(items)
    const checked = checkTaskOptions(options)
    const { functions, dispatcher, shared, size } = this.#pool
    const chunkSize = checkChunkSize(options?.chunkSize) ?? 1
    const usual = 4 * size() * (chunkSize === 'auto' ? AUTO_BUFFER : chunkSize)
    const { buffer = usual } = options ?? {}
    if (buffer !== Infinity) checkInteger('buffer', buffer, 1)
    this.#pool.checkOpen()
    this.#pool.checkRoom()
    const sent = functions.use(fn)
    const mode = isStar ? MODE.starEach : MODE.each
    return new Imap<T, R>({
      items,
      chunkSize,
      buffer,
      ordered,
      progress: ProgressReport.of(checked, countOf(items)),
      submit: (piece, receiver) => {
        this.#pool.checkOpen()
        const payload = shared.replaceIn(piece, isStar)
        return this.submit(mode, sent, payload, piece.length, checked, receiver)
      },
      discard: (task, error) => dispatcher.discard(task, error),
      ended: () => functions.release(sent),
    })
  }

  /** Encodes what the function is applied to, and gives the task to the dispatcher. */
  submit(
    mode: number,
    sent: SentFunction,
    payload: readonly unknown[],
    items: number,
    options: CheckedTaskOptions,
    receiver: Receiver,
  ): Task {
    const { dispatcher, record } = this.#pool
    const task = dispatcher.newTask(mode, sent, payload, items, options, receiver)
    const now = dispatcher.now()
    collectNotes(task, encodeTo, payload)
    // It lies beside the message.
    task.submittedAt = now
    if (task.byteLength >= TIMED_BYTES) record.encoded(dispatcher.now() - now)
    sent.uses++
    dispatcher.submit(task)
    return task
  }
}

/** Encoding less takes less time than looking at the clock. */
const TIMED_BYTES = 256
/** With chunks that find their own size, so many items for each of four chunks a worker are read ahead. */
const AUTO_BUFFER = 256

function checkRows(items: readonly unknown[]): void {
  for (const item of items) {
    if (!Array.isArray(item)) throw wrongType('items', 'arrays of arguments', item)
  }
}
