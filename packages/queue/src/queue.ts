/**
 * A queue of messages that any process or thread can put into and get from.
 *
 * Items are encoded before they are put and decoded after they are taken, so
 * nobody waits for another's objects. What is put stays, whatever happens to
 * its producer; what is taken goes to exactly one consumer.
 *
 * @module
 */
import { bytesMessageHead, dumps, loads, loadsAsync } from '@mp/pickle'
import {
  Attachment,
  type Extent,
  type Lease,
  type LeaseOption,
  LeasedBytes,
  Loan,
  type Message,
  MessageRing,
  MessageTooLargeError,
  MultiprocessingError,
  OBJECT_TYPE,
  type Origin,
  PENDING,
  type PlaceBytes,
  RING,
  RingClosedError,
  SharedObject,
  type Waitable,
  checkInteger,
  collectRevived,
  deadlineAfter,
  outOfRange,
  throwIfAborted,
  trackInFlight,
} from '@mp/shared-memory/internal'
import { QueueEmptyError, QueueFullError, QueueShutDownError } from './errors.js'
import { type Loanable, type Outgoing, lend, settle } from './lending.js'
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
} from './options.js'
import { shutDownAware, shutDownAwareSync } from './shut-down.js'

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
  constructor(options?: number | QueueOptions | Attachment)
  constructor(options: number | QueueOptions | Attachment = {}) {
    const attachment = options instanceof Attachment ? options : undefined
    const bounds = options instanceof Attachment ? UNBOUNDED : checkBounds(options)
    super(
      attachment,
      { type: OBJECT_TYPE.queue, words: QUEUE_WORDS, sets: QUEUE.sets, setCount: QUEUE_SETS },
      (words, base) => {
        Atomics.store(words, base + RING.maxItems, bounds.maxSize)
        Atomics.store(words, base + RING.maxBytes, bounds.maxBytes)
      },
    )
    const { base, index } = this.handle
    this.#ring = new MessageRing(this.session, base + QUEUE.ring, base + QUEUE.sets, index)
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
    await this.#put([item], options)
  }

  /** Puts an item, blocking this thread while the queue is full. Throws as `put` does. */
  putSync(item: Loanable<T>, options?: QueueWaitOptions): void {
    this.#putSync([item], options)
  }

  /** Puts an item or throws QueueFullError; never waits. */
  putNowait(item: Loanable<T>): void {
    this.#putSync([item], { block: false })
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
    await this.#put([...checkIterable(items)], options)
  }

  /** `putMany`, blocking this thread. */
  putManySync(items: Iterable<Loanable<T>>, options?: QueueWaitOptions): void {
    this.#putSync([...checkIterable(items)], options)
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
    const message = await this.#take(options)
    if (message instanceof Uint8Array) return this.#decode(message)
    return message.decodeAsync((bytes, place) => this.#decode(bytes, place))
  }

  /** Takes the first item, blocking this thread while there is none. Throws as `get` does. */
  getSync(options: QueueWaitOptions & LeaseOption): Lease<T>
  getSync(options?: QueueWaitOptions): T
  getSync(options?: TakeOptions): T | Lease<T> {
    const message = this.#takeSync(options)
    if (message instanceof Uint8Array) return loads(message) as T
    return message.decode((bytes, place) => loads(bytes, { place }) as T)
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
    this.checkOpen()
    this.ring.close()
    if (options.immediate) while (this.ring.tryTake() !== null) this.onDropped()
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
        message = (await this.#take(undefined)) as Uint8Array
      } catch (error) {
        if (error instanceof QueueShutDownError) return
        throw error
      }
      yield await this.#decode(message)
    }
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

  /** Called for each item that an immediate shutdown drops. @internal */
  protected onDropped(): void {}

  /** @internal */
  protected origin(): Origin {
    return { module: import.meta.url, name: 'Queue' }
  }

  async #put(items: readonly Loanable<T>[], options: QueueWaitOptions | undefined): Promise<void> {
    const timeoutMs = checkQueueOptions(options)
    this.checkOpen()
    throwIfAborted(options)
    const { result, cancel, give } = trackInFlight(() => this.#encode(items))
    try {
      give(this.handle.index)
      await this.#putMessages(result.messages, timeoutMs, options?.signal)
    } catch (error) {
      settle(result.loans, false)
      cancel()
      throw error
    }
    settle(result.loans, true)
  }

  async #putMessages(
    messages: readonly Message[],
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

  #putSync(items: readonly Loanable<T>[], options: QueueWaitOptions | undefined): void {
    const timeoutMs = checkQueueOptions(options)
    this.checkOpen()
    throwIfAborted(options)
    const { result, cancel, give } = trackInFlight(() => this.#encode(items))
    try {
      give(this.handle.index)
      this.#putMessagesSync(result.messages, timeoutMs)
    } catch (error) {
      settle(result.loans, false)
      cancel()
      throw error
    }
    settle(result.loans, true)
  }

  #putMessagesSync(messages: readonly Message[], timeoutMs: number): void {
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

  async #take(options: TakeOptions | undefined): Promise<Uint8Array | LeasedBytes> {
    const timeoutMs = checkQueueOptions(options)
    this.checkOpen()
    throwIfAborted(options)
    const taking: Waitable<Taken> = options?.lease ? this.ring.takingInPlace() : this.ring.taking()
    const message = await shutDownAware(
      this.session.waiting.async(taking, timeoutMs, options?.signal),
    )
    if (message === PENDING) throw new QueueEmptyError()
    return this.#leased(message, options)
  }

  #takeSync(options: TakeOptions | undefined): Uint8Array | LeasedBytes {
    const timeoutMs = checkQueueOptions(options)
    this.checkOpen()
    throwIfAborted(options)
    const { ring } = this
    const first = options?.lease ? ring.tryTakeInPlace() : ring.tryTake()
    if (first !== null) return this.#leased(first, options)
    const { waiting, agent } = this.session
    const message = shutDownAwareSync(() => {
      if (ring.drained) throw new RingClosedError()
      const taking: Waitable<Taken> = options?.lease ? ring.takingInPlace() : ring.taking()
      return waiting.block(taking, deadlineAfter(agent, timeoutMs))
    })
    if (message === PENDING) throw new QueueEmptyError()
    return this.#leased(message, options)
  }

  #leased(message: Taken, options: TakeOptions | undefined): Uint8Array | LeasedBytes {
    // Only who asks for a lease gets pages.
    return options?.lease ? new LeasedBytes(this.session, message) : (message as Uint8Array)
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

  /** Decodes at once where it can; a module with top-level await has to be waited for. */
  async #decode(message: Uint8Array, place?: PlaceBytes): Promise<T> {
    // What arrives the first time must be there the second time.
    const arrived: unknown[] = []
    try {
      return collectRevived(arrived, () => loads(message, { place })) as T
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error
      const item = (await loadsAsync(message, { place })) as T
      arrived.length = 0
      return item
    }
  }

  #encode(items: readonly Loanable<T>[]): Outgoing {
    const maxItems = Atomics.load(this.session.words, this.handle.base + RING.maxItems)
    if (maxItems !== 0 && items.length > maxItems) {
      throw outOfRange('items', `at most ${maxItems} items, as the queue holds`, items.length)
    }
    const messages = items.map((item) => (item instanceof Loan ? item : dumps(item)))
    const maxBytes = Atomics.load(this.session.words, this.handle.base + RING.maxBytes)
    const total = messages.reduce((sum, message) => sum + message.byteLength, 0)
    if (maxBytes !== 0 && total > maxBytes) throw new MessageTooLargeError(total, maxBytes)
    return lend(messages)
  }
}

/** A message, or where it lies. */
type Taken = Uint8Array<ArrayBuffer> | Extent
