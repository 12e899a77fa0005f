/**
 * A queue of messages that any process or thread can put into and get from.
 *
 * Items are encoded before they are put and decoded after they are taken, so
 * nobody waits for another's objects. What is put stays, whatever happens to
 * its producer; what is taken goes to exactly one consumer.
 *
 * @module
 */
import { dumps, loads } from '@mp/pickle'
import {
  Attachment,
  MessageRing,
  MessageTooLargeError,
  MultiprocessingError,
  OBJECT_TYPE,
  type Origin,
  PENDING,
  RING,
  RingClosedError,
  type Sentinel,
  SharedObject,
  type Tracked,
  checkInteger,
  deadlineAfter,
  outOfRange,
  sentinelFor,
  throwIfAborted,
  trackInFlight,
  waitableSymbol,
} from '@mp/shared-memory/internal'
import { AcknowledgedRing } from './acknowledged-ring.js'
import { decodeItem } from './decoding.js'
import { QueueEmptyError, QueueFullError, QueueShutDownError } from './errors.js'
import { QUEUE, QUEUE_SETS, QUEUE_WORDS } from './layout.js'
import {
  type QueueBounds,
  type QueueOptions,
  type QueueWaitOptions,
  type ShutdownOptions,
  checkBounds,
  checkIterable,
  checkQueueOptions,
  checkShutdown,
} from './options.js'

const UNBOUNDED: QueueBounds = { maxSize: 0, maxBytes: 0 }

export class Queue<T = unknown> extends SharedObject {
  readonly #ring: MessageRing
  #closed = false

  /**
   * @param options the most items the queue holds (0: any number), or `maxSize` and `maxBytes`.
   * @throws TypeError or RangeError for a bound that is not a non-negative integer.
   */
  constructor(options?: number | QueueOptions)
  /** @internal */
  constructor(options?: number | QueueOptions | Attachment, acknowledge?: boolean)
  constructor(options: number | QueueOptions | Attachment = {}, acknowledge = false) {
    const attachment = options instanceof Attachment ? options : undefined
    const bounds = options instanceof Attachment ? UNBOUNDED : checkBounds(options)
    super(
      attachment,
      { type: OBJECT_TYPE.queue, words: QUEUE_WORDS, sets: QUEUE.sets, setCount: QUEUE_SETS },
      (words, base) => {
        Atomics.store(words, base + RING.maxItems, bounds.maxSize)
        Atomics.store(words, base + RING.maxBytes, bounds.maxBytes)
        Atomics.store(words, base + QUEUE.acknowledged, acknowledge ? 1 : 0)
      },
    )
    const { base, index } = this.handle
    if (Atomics.load(this.session.words, base + QUEUE.acknowledged) === 0) {
      this.#ring = new MessageRing(this.session, base + QUEUE.ring, base + QUEUE.sets, index)
    } else {
      const ring = new AcknowledgedRing(this.session, base, index, this)
      if (attachment === undefined) ring.prepare()
      this.#ring = ring
    }
  }

  /**
   * Puts an item; waits while the queue is full.
   *
   * The item is encoded before this returns: a later change of it is not seen. Once the promise resolves,
   * this process may exit or be killed; the item stays.
   *
   * @throws PicklingError when the item cannot be sent, QueueFullError, QueueShutDownError; nothing is put then.
   */
  async put(item: T, options?: QueueWaitOptions): Promise<void> {
    await this.#put([item], options)
  }

  /** Puts an item, blocking this thread while the queue is full. Throws as `put` does. */
  putSync(item: T, options?: QueueWaitOptions): void {
    this.#putSync([item], options)
  }

  /** Puts an item or throws QueueFullError; never waits. */
  putNowait(item: T): void {
    this.#putSync([item], { block: false })
  }

  /** Puts an item if there is room; false when there is none. */
  tryPut(item: T): boolean {
    try {
      this.putNowait(item)
      return true
    } catch (error) {
      if (error instanceof QueueFullError) return false
      throw error
    }
  }

  /** Puts all items at once: they become visible together and stand next to each other, or none is put. */
  async putMany(items: Iterable<T>, options?: QueueWaitOptions): Promise<void> {
    await this.#put([...checkIterable(items)], options)
  }

  /** `putMany`, blocking this thread. */
  putManySync(items: Iterable<T>, options?: QueueWaitOptions): void {
    this.#putSync([...checkIterable(items)], options)
  }

  /**
   * Takes the first item; waits while there is none.
   *
   * @throws QueueEmptyError, or QueueShutDownError once the queue is shut down and drained.
   */
  async get(options?: QueueWaitOptions): Promise<T> {
    return (await decodeItem(await this.#take(options))) as T
  }

  /** Takes the first item, blocking this thread while there is none. Throws as `get` does. */
  getSync(options?: QueueWaitOptions): T {
    return loads(this.#takeSync(options)) as T
  }

  /** Takes the first item or throws QueueEmptyError; never waits. */
  getNowait(): T {
    return this.getSync({ block: false })
  }

  /** Takes the first item if there is one; wrapped, because null may be an item. */
  tryGet(): { value: T } | null {
    this.checkOpen()
    const message = this.ring.tryTake()
    if (message !== null) return { value: loads(message) as T }
    if (this.ring.drained) throw new QueueShutDownError()
    return null
  }

  /** Waits for an item, then takes up to `max` of those that are there. */
  async getMany(max: number, options?: QueueWaitOptions): Promise<T[]> {
    checkInteger('max', max, 1)
    const items = [await this.get(options)]
    return this.#takeMore(items, max)
  }

  /** `getMany`, blocking this thread. */
  getManySync(max: number, options?: QueueWaitOptions): T[] {
    checkInteger('max', max, 1)
    return this.#takeMore([this.getSync(options)], max)
  }

  /** How many items are in the queue now; others may change that at any moment. */
  qsize(): number {
    this.checkOpen()
    return this.ring.size
  }

  empty(): boolean {
    return this.qsize() === 0
  }

  full(): boolean {
    this.checkOpen()
    return this.ring.isFull()
  }

  /**
   * Ends the queue for everybody: puts throw QueueShutDownError from now on, gets once it is drained.
   */
  shutdown(options: ShutdownOptions = {}): void {
    const isImmediate = checkShutdown(options)
    this.checkOpen()
    this.ring.close()
    if (isImmediate) while (this.ring.tryTake() !== null) this.onDropped()
  }

  /** Says that this process is done with the queue: using it here throws `ERR_MP_CLOSED`. Others are not affected. */
  override close(): void {
    this.#closed = true
    super.close()
  }

  /** Gets items until the queue is shut down and drained. */
  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      let message: Uint8Array
      try {
        message = await this.#take(undefined)
      } catch (error) {
        if (error instanceof QueueShutDownError) return
        throw error
      }
      yield (await decodeItem(message)) as T
    }
  }

  /** For `wait()`: ready when a get would not wait. @internal */
  sentinel(): Sentinel {
    this.checkOpen()
    const polling = this.ring.polling()
    const attempt: typeof polling.attempt = () => (this.#closed ? true : polling.attempt())
    return sentinelFor(this.session, { ...polling, attempt })
  }

  /** @internal */
  protected get ring(): MessageRing {
    return this.use(this.#ring)
  }

  /** @internal */
  protected checkOpen(): void {
    if (this.#closed) {
      throw new MultiprocessingError('ERR_MP_CLOSED', 'This process has closed the queue')
    }
  }

  /** @internal */
  protected get isClosed(): boolean {
    return this.#closed
  }

  /** Encodes items, and checks that they can ever be put together. @internal */
  protected encode(items: readonly T[]): Tracked<Uint8Array[]> {
    return trackInFlight(() => {
      this.checkCount(items)
      const messages = items.map((item) => dumps(item))
      this.checkSizes(messages)
      return messages
    })
  }

  /** @internal */
  protected checkCount(items: readonly unknown[]): void {
    const maxItems = Atomics.load(this.session.words, this.handle.base + RING.maxItems)
    if (maxItems !== 0 && items.length > maxItems) {
      throw outOfRange('items', `at most ${maxItems} items, as the queue holds`, items.length)
    }
  }

  /** @internal */
  protected checkSizes(messages: readonly Uint8Array[]): void {
    const maxBytes = Atomics.load(this.session.words, this.handle.base + RING.maxBytes)
    if (maxBytes === 0) return
    const total = messages.reduce((sum, message) => sum + message.byteLength, 0)
    if (total > maxBytes) throw new MessageTooLargeError(total, maxBytes)
  }

  /** Called for each item that an immediate shutdown drops. @internal */
  protected onDropped(): void {}

  /** @internal */
  protected origin(): Origin {
    return { module: import.meta.url, name: 'Queue' }
  }

  async #put(items: readonly T[], options: QueueWaitOptions | undefined): Promise<void> {
    const timeoutMs = checkQueueOptions(options)
    this.checkOpen()
    throwIfAborted(options)
    const { result: messages, cancel, give } = this.encode(items)
    try {
      give(this.handle.index)
      await this.#putMessages(messages, timeoutMs, options?.signal)
    } catch (error) {
      cancel()
      throw error
    }
  }

  async #putMessages(
    messages: readonly Uint8Array[],
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { waiting } = this.session
    if (!waiting.hasLine(this.ring.notFull)) {
      const result = this.ring.tryPut(messages)
      if (result === 'put') return
      if (result === 'closed') throw new QueueShutDownError()
    }
    const result = await shutDownAware(
      waiting.async(this.ring.putting(messages), timeoutMs, signal),
    )
    if (result === PENDING) throw new QueueFullError()
  }

  #putSync(items: readonly T[], options: QueueWaitOptions | undefined): void {
    const timeoutMs = checkQueueOptions(options)
    this.checkOpen()
    throwIfAborted(options)
    const { result: messages, cancel, give } = this.encode(items)
    try {
      give(this.handle.index)
      this.#putMessagesSync(messages, timeoutMs)
    } catch (error) {
      cancel()
      throw error
    }
  }

  #putMessagesSync(messages: readonly Uint8Array[], timeoutMs: number): void {
    const { waiting, agent } = this.session
    const { notFull } = this.ring
    // What this thread began to put before goes first.
    const inTurn = (): boolean => !waiting.hasLine(notFull) || waiting.serveLine(notFull)
    const first = inTurn() ? this.ring.tryPut(messages) : 'full'
    if (first === 'put') return
    if (first === 'closed') throw new QueueShutDownError()
    const putting = this.ring.putting(messages)
    const result = shutDownAwareSync(() =>
      waiting.block(
        { ...putting, attempt: () => (inTurn() ? putting.attempt() : PENDING) },
        deadlineAfter(agent, timeoutMs),
      ),
    )
    if (result === PENDING) throw new QueueFullError()
  }

  async #take(options: QueueWaitOptions | undefined): Promise<Uint8Array> {
    const timeoutMs = checkQueueOptions(options)
    this.checkOpen()
    throwIfAborted(options)
    const message = await shutDownAware(
      this.session.waiting.async(this.ring.taking(), timeoutMs, options?.signal),
    )
    if (message === PENDING) throw new QueueEmptyError()
    return message
  }

  #takeSync(options: QueueWaitOptions | undefined): Uint8Array {
    const timeoutMs = checkQueueOptions(options)
    this.checkOpen()
    throwIfAborted(options)
    const first = this.ring.tryTake()
    if (first !== null) return first
    const { waiting, agent } = this.session
    const message = shutDownAwareSync(() => {
      if (this.ring.drained) throw new RingClosedError()
      return waiting.block(this.ring.taking(), deadlineAfter(agent, timeoutMs))
    })
    if (message === PENDING) throw new QueueEmptyError()
    return message
  }

  #takeMore(items: T[], max: number): T[] {
    // It may have been closed while the first item was awaited.
    while (items.length < max && !this.#closed) {
      const message = this.ring.tryTake()
      if (message === null) break
      items.push(loads(message) as T)
    }
    return items
  }
}

Object.defineProperty(Queue.prototype, waitableSymbol, { value: Queue.prototype.sentinel })

/** Waits, and says as a queue does that it is shut down. */
export async function shutDownAware<R>(wait: Promise<R>): Promise<R> {
  try {
    return await wait
  } catch (error) {
    throw error instanceof RingClosedError ? new QueueShutDownError() : error
  }
}

/** `shutDownAware`, blocking this thread. */
export function shutDownAwareSync<R>(wait: () => R): R {
  try {
    return wait()
  } catch (error) {
    throw error instanceof RingClosedError ? new QueueShutDownError() : error
  }
}
