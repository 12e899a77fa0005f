/**
 * A queue of messages that any process or thread can put into and get from.
 *
 * Items are encoded before they are put and decoded after they are taken, so
 * nobody waits for another's objects. What is put stays, whatever happens to
 * its producer; what is taken goes to exactly one consumer.
 *
 * @module
 */
import { Undecoded, decodeOrKeep, dumps, encodeTo } from '@mp/pickle'
import { bytesMessageHead } from '@mp/pickle/internal'
import {
  Attachment,
  type Lease,
  type LeaseOption,
  Loan,
  MessageRing,
  MessageTooLargeError,
  OBJECT_TYPE,
  type Origin,
  Outgoing,
  PENDING,
  RING,
  type Sentinel,
  SharedObject,
  type Target,
  type Tracked,
  checkInteger,
  collectNotes,
  iterate,
  outOfRange,
  sentinelFor,
  throwIfAborted,
  trackInFlight,
  waitableSymbol,
} from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { AcknowledgedRing } from './acknowledged-ring.js'
import { QueueFullError, QueueShutDownError, closedHere } from './errors.js'
import { type Lent, type Loanable, lend } from './lending.js'
import { QUEUE, QUEUE_SETS, QUEUE_WORDS } from './layout.js'
import {
  type QueueBounds,
  type QueueOptions,
  type QueueWaitOptions,
  type ShutdownOptions,
  type TakeOptions,
  checkBounds,
  checkIterable,
  checkQueueOptions,
  checkShutdown,
} from './options.js'
import { isInTurn, putAll, putAllSync, putLater, putLaterSync } from './putting.js'
import { Taker } from './taker.js'

const UNBOUNDED: QueueBounds = { maxSize: 0, maxBytes: 0 }

/** Items that any process or thread puts, and exactly one gets; Python's `multiprocessing.Queue`. */
export class Queue<T = unknown> extends SharedObject {
  readonly #ring: MessageRing
  readonly #maxBytes: number
  readonly #taker: Taker
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
    this.#maxBytes = Atomics.load(this.session.words, base + RING.maxBytes)
    if (Atomics.load(this.session.words, base + QUEUE.acknowledged) === 0) {
      this.#ring = new MessageRing(this.session, base + QUEUE.ring, base + QUEUE.sets, index)
    } else {
      const ring = new AcknowledgedRing(this.session, base, index, this)
      if (attachment === undefined) ring.prepare()
      this.#ring = ring
    }
    this.#taker = new Taker(
      this.session,
      () => this.ring,
      () => this.#closed,
    )
  }

  /**
   * Puts an item; waits while the queue is full.
   *
   * The item is encoded before this returns: a later change of it is not seen. Once the promise resolves,
   * this process may exit or be killed; the item stays.
   *
   * @throws PicklingError when the item cannot be sent, QueueFullError, QueueShutDownError, MessageTooLargeError when
   * it can never fit; nothing is put then.
   */
  async put(item: Loanable<T>, options?: QueueWaitOptions): Promise<void> {
    const timeoutMs = this.#check(options)
    if (item instanceof Loan) return this.#putAll([item], timeoutMs, options?.signal)
    const { waiting } = this.session
    const message = this.#encodeOne(item, !waiting.hasLine(this.ring.notFull))
    if (message.result !== 'put')
      await putLater(this.session, this.ring, message, timeoutMs, options?.signal)
  }

  /** Puts an item, blocking this thread while the queue is full. Throws as `put` does. */
  putSync(item: Loanable<T>, options?: QueueWaitOptions): void {
    const timeoutMs = this.#check(options)
    if (item instanceof Loan) return this.#putAllSync([item], timeoutMs)
    const message = this.#encodeOne(item, isInTurn(this.session, this.ring))
    if (message.result !== 'put') putLaterSync(this.session, this.ring, message, timeoutMs)
  }

  /** Puts an item or throws QueueFullError; never waits. */
  putNowait(item: Loanable<T>): void {
    this.putSync(item, { block: false })
  }

  /** Puts an item if there is room; false when there is none. */
  tryPut(item: Loanable<T>): boolean {
    try {
      this.putNowait(item)
      return true
    } catch (error) {
      if (error instanceof QueueFullError) return false
      throw error
    }
  }

  /** Puts all items at once: they become visible together and stand next to each other, or none is put. */
  async putMany(items: Iterable<Loanable<T>>, options?: QueueWaitOptions): Promise<void> {
    const all = [...checkIterable(items)]
    await this.#putAll(all, this.#check(options), options?.signal)
  }

  /** `putMany`, blocking this thread. */
  putManySync(items: Iterable<Loanable<T>>, options?: QueueWaitOptions): void {
    const all = [...checkIterable(items)]
    this.#putAllSync(all, this.#check(options))
  }

  /**
   * Memory of an item that is a `Uint8Array`, to be filled and then put: a long one is not copied.
   *
   * Other typed arrays may be made over `loan.bytes.buffer` to fill it; who gets the item can do the same.
   *
   * @throws MessageTooLargeError when it can never fit, OutOfSharedMemoryError when there is no room now.
   * @example
   * const frame = queue.allocate(width * height * 4)
   * draw(frame.bytes)
   * await queue.put(frame)
   */
  allocate(byteLength: number): Loan {
    checkInteger('byteLength', byteLength, 0)
    this.checkOpen()
    return new Loan(this.session, 'queue', byteLength, bytesMessageHead(byteLength))
  }

  /**
   * Takes the first item; waits while there is none.
   *
   * With `lease` the typed arrays and buffers of a large item are not copied: see `Lease`.
   *
   * @throws QueueEmptyError, or QueueShutDownError once the queue is shut down and drained.
   */
  get(options: QueueWaitOptions & LeaseOption): Promise<Lease<T>>
  get(options?: QueueWaitOptions): Promise<T>
  async get(options?: TakeOptions): Promise<T | Lease<T>> {
    const timeoutMs = this.#check(options)
    const taker = this.#taker
    if (options?.lease) return taker.lease(timeoutMs, options.signal) as Promise<Lease<T>>
    let item = taker.now()
    if (item === PENDING) item = (await taker.take(timeoutMs, options?.signal)).read(decodeOrKeep)
    return (item instanceof Undecoded ? item.decode() : item) as T
  }

  /**
   * Takes the first item, blocking this thread while there is none. Throws as `get` does.
   *
   * An item that names a module with a top-level await, which this process has not imported, cannot be decoded so: that
   * throws `ERR_REQUIRE_ASYNC_MODULE`, and the next call that takes gets the item.
   */
  getSync(options: QueueWaitOptions & LeaseOption): Lease<T>
  getSync(options?: QueueWaitOptions): T
  getSync(options?: TakeOptions): T | Lease<T> {
    const timeoutMs = this.#check(options)
    const taken = options?.lease ? this.#taker.leaseSync(timeoutMs) : this.#taker.getSync(timeoutMs)
    return taken as T | Lease<T>
  }

  /** Takes the first item or throws QueueEmptyError; never waits. */
  getNowait(): T {
    return this.getSync({ block: false })
  }

  /** Takes the first item if there is one; wrapped, because null may be an item. */
  tryGet(): { value: T } | null {
    this.checkOpen()
    const value = this.#taker.tryGet()
    return value === PENDING ? null : { value: value as T }
  }

  /**
   * Waits for an item, then takes up to `max` of those that are there.
   *
   * It ends before an item that cannot be decoded: the next call that takes throws its error. Nothing else is lost.
   */
  async getMany(max: number, options?: QueueWaitOptions): Promise<T[]> {
    checkInteger('max', max, 1)
    const items = [await this.get(options)]
    return this.#taker.more(items, max)
  }

  /** `getMany`, blocking this thread. */
  getManySync(max: number, options?: QueueWaitOptions): T[] {
    checkInteger('max', max, 1)
    return this.#taker.moreSync([this.getSync(options)], max)
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

  /**
   * Says that this process is done with the queue: using it here throws `ERR_MP_CLOSED`, and whoever waits here for an
   * item gets that, too. What waits to be put goes in when there is room. Others are not affected.
   */
  override close(): void {
    if (!this.#closed) {
      this.#closed = true
      this.session.waiting.serveLine(this.#ring.notEmpty)
    }
    super.close()
  }

  /** Gets items until the queue is shut down and drained. */
  [Symbol.asyncIterator](): AsyncIterator<T> {
    return iterate(
      () => this.get(),
      (error) => error instanceof QueueShutDownError,
    )
  }

  /** For `wait()`: ready when a get would not wait. @internal */
  sentinel(): Sentinel {
    this.checkOpen()
    const polling = this.ring.polling()
    const attempt: typeof polling.attempt = () =>
      this.#closed || this.#taker.backlog.any ? true : polling.attempt()
    return sentinelFor(this.session, { ...polling, attempt })
  }

  /** @internal */
  protected get ring(): MessageRing {
    return this.use(this.#ring)
  }

  /** @internal */
  protected checkOpen(): void {
    if (this.#closed) throw closedHere()
  }

  /** @internal */
  protected get isClosed(): boolean {
    return this.#closed
  }

  /** What an item becomes. @internal */
  protected newMessage(
    target: Target,
    through: number,
    isFirst: boolean,
    maxBytes: number,
  ): Outgoing {
    return new Outgoing(target, through, isFirst, maxBytes)
  }

  /** Encodes items, and checks that they can ever be put together. @internal */
  protected encode(items: readonly Loanable<T>[]): Tracked<Lent> {
    return trackInFlight(() => {
      this.checkCount(items)
      const messages = items.map((item) => (item instanceof Loan ? item : dumps(item)))
      this.checkSizes(messages)
      return lend(messages)
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
  protected checkSizes(messages: readonly (Uint8Array | Loan)[]): void {
    const maxBytes = this.#maxBytes
    if (maxBytes === 0) return
    const total = messages.reduce((sum, message) => sum + message.byteLength, 0)
    if (total > maxBytes) throw new MessageTooLargeError(total, maxBytes)
  }

  /** Called for each item that an immediate shutdown drops. @internal */
  protected onDropped(): void {}

  /** @internal */
  protected origin(): Origin {
    return { module: ORIGIN, name: 'Queue' }
  }

  /** Checks the options of a call. @returns its timeout in milliseconds. */
  #check(options: TakeOptions | undefined): number {
    const timeoutMs = options === undefined ? Infinity : checkQueueOptions(options)
    this.checkOpen()
    throwIfAborted(options)
    return timeoutMs
  }

  /** Encodes an item, and puts it if it is first and there is room. */
  #encodeOne(item: T, isFirst: boolean): Outgoing {
    const message = this.newMessage(this.ring, this.handle.index, isFirst, this.#maxBytes)
    collectNotes(message, encodeTo, item)
    return message
  }

  async #putAll(
    items: readonly Loanable<T>[],
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const messages = this.encode(items)
    const ends = messages.give(this.handle.index)
    await putAll(this.session, this.ring, messages, ends, timeoutMs, signal)
  }

  #putAllSync(items: readonly Loanable<T>[], timeoutMs: number): void {
    const messages = this.encode(items)
    const ends = messages.give(this.handle.index)
    putAllSync(this.session, this.ring, messages, ends, timeoutMs)
  }
}

Object.defineProperty(Queue.prototype, waitableSymbol, { value: Queue.prototype.sentinel })
