/**
 * One end of a pipe.
 *
 * @module
 */
import { Undecoded, decodeOrKeep } from '@mp/pickle'
import {
  type BytesLease,
  type Lease,
  type LeaseOption,
  Loan,
  type Message,
  MultiprocessingError,
  PENDING,
  type Reduced,
  type Sentinel,
  type WaitOptions,
  checkInteger,
  checkLease,
  checkWaitOptions,
  isKept,
  iterate,
  noteInFlight,
  noteRevived,
  reduceSymbol,
  reviveSymbol,
  sentinelFor,
  throwIfAborted,
  waitableSymbol,
} from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import type { ConnectionLike } from './connection-like.js'
import {
  type SendableBytes,
  checkMaxLength,
  copyInto,
  copyOfAtMost,
  leaseOf,
  section,
  sendLoan,
  sendLoanSync,
  valueLeaseLater,
  valueLeaseOf,
} from './bytes.js'
import { EOFError } from './errors.js'
import type { End, PipeCore } from './pipe-core.js'
import { Transfer } from './transfer.js'

/** Lets go of ends whose connections were forgotten without being closed. */
const forgotten = new FinalizationRegistry<{ pipe: PipeCore; end: End }>(({ pipe, end }) => {
  // By now a copy that came back may hold it.
  if (open.get(pipe)?.[end]?.deref() === undefined) pipe.letGo(end)
})

/** The open connections of this thread: one for each end that it holds. */
const open = new WeakMap<PipeCore, [WeakRef<Connection>?, WeakRef<Connection>?]>()

export class Connection<Send = unknown, Receive = Send> implements ConnectionLike<Send, Receive> {
  readonly readable: boolean
  readonly writable: boolean
  readonly #pipe: PipeCore
  readonly #end: End
  readonly #transfer: Transfer
  #closed = false

  /** Connections come in pairs: use `Pipe()`. @internal */
  constructor(pipe: PipeCore, end: End, duplex: boolean) {
    this.#pipe = pipe
    this.#end = end
    this.#transfer = new Transfer(pipe, end, () => this.#checkOpen())
    this.readable = duplex || end === 0
    this.writable = duplex || end === 1
    pipe.hold(end)
    const pair = open.get(pipe) ?? []
    pair[end] = new WeakRef(this)
    open.set(pipe, pair)
    forgotten.register(this, { pipe, end }, this)
  }

  /** Whether this process has closed its end. */
  get closed(): boolean {
    return this.#closed
  }

  /**
   * Sends a value; waits while the pipe is full.
   *
   * @throws BrokenPipeError when nobody holds the other end; PicklingError when the value cannot be sent;
   * TimeoutError (`ERR_MP_TIMEOUT`) when `timeout` passes first. Nothing is sent then.
   */
  async send(value: Send, options?: WaitOptions): Promise<void> {
    const timeoutMs = this.#checkSend(options)
    const message = this.#transfer.encode(value, this.#transfer.isFirst())
    if (message.result === 'put') return
    try {
      await this.#transfer.send(message.bytes!, timeoutMs, options?.signal, message.ends)
    } catch (error) {
      message.cancel()
      throw error
    }
  }

  /** `send`, blocking this thread. */
  sendSync(value: Send, options?: WaitOptions): void {
    const timeoutMs = this.#checkSend(options)
    const message = this.#transfer.encode(value, this.#transfer.isInTurn())
    if (message.result === 'put') return
    try {
      this.#transfer.sendSync(message.bytes!, timeoutMs, message.ends)
    } catch (error) {
      message.cancel()
      throw error
    }
  }

  /**
   * Receives the next value; waits for it.
   *
   * With `lease` the typed arrays and buffers of a large value are not copied: see `Lease`.
   *
   * @throws EOFError when nothing is left and every holder of the other end has closed it or died;
   * TimeoutError (`ERR_MP_TIMEOUT`) when `timeout` passes first.
   */
  recv(options: WaitOptions & LeaseOption): Promise<Lease<Receive>>
  recv(options?: WaitOptions): Promise<Receive>
  async recv(options?: WaitOptions & Partial<LeaseOption>): Promise<Receive | Lease<Receive>> {
    const isLeased = checkLease(options)
    const timeoutMs = this.#checkReceive(options)
    if (isLeased) {
      const taken = await this.#transfer.take(timeoutMs, options?.signal)
      return valueLeaseLater(this.#pipe.session, taken)
    }
    const value = await this.#transfer.receive(decodeOrKeep, timeoutMs, options?.signal)
    return (value instanceof Undecoded ? value.decode() : value) as Receive
  }

  /**
   * `recv`, blocking this thread.
   *
   * A value that names a module with a top-level await, which this process has not imported, cannot be decoded so: that
   * throws `ERR_REQUIRE_ASYNC_MODULE`, and the next call that receives gets the message.
   */
  recvSync(options: WaitOptions & LeaseOption): Lease<Receive>
  recvSync(options?: WaitOptions): Receive
  recvSync(options?: WaitOptions & Partial<LeaseOption>): Receive | Lease<Receive> {
    const isLeased = checkLease(options)
    const timeoutMs = this.#checkReceive(options)
    const { backlog } = this.#transfer
    if (!isLeased) return this.#transfer.receiveSync(backlog.decodeNow, timeoutMs) as Receive
    return valueLeaseOf(this.#pipe.session, this.#transfer.takeSync(timeoutMs), backlog)
  }

  /**
   * Waits until there is something to receive, be it the end of file; takes nothing.
   *
   * @returns false when `timeout` (milliseconds) passes first.
   */
  async poll(options?: WaitOptions): Promise<boolean> {
    const timeoutMs = checkWaitOptions(options)
    this.#checkReadable()
    const { waiting } = this.#pipe.session
    const polling = this.#transfer.keep(this.#transfer.polling())
    return (await waiting.async(polling, timeoutMs, options?.signal)) !== PENDING
  }

  /** `poll`, blocking this thread. */
  pollSync(options?: WaitOptions): boolean {
    const timeoutMs = checkWaitOptions(options)
    this.#checkReadable()
    throwIfAborted(options)
    return this.#transfer.block(this.#transfer.polling(), timeoutMs) !== PENDING
  }

  /**
   * Sends bytes as one message: a copy of them, or a loan of `allocate`, which is not copied.
   *
   * @throws as `send`; MessageTooLargeError when they can never fit.
   * @param offset where they start in `bytes`, in bytes.
   * @param size how many; left out: up to the end.
   */
  async sendBytes(
    bytes: SendableBytes,
    offset = 0,
    size?: number,
    options?: WaitOptions,
  ): Promise<void> {
    const timeoutMs = this.#checkSend(options)
    if (bytes instanceof Loan) {
      const send = (message: Message): Promise<void> =>
        this.#transfer.send(message, timeoutMs, options?.signal)
      return sendLoan(bytes, offset, size, send)
    }
    const message = section(bytes, offset, size)
    if (this.#transfer.isFirst() && this.#transfer.tryPut(message)) return
    await this.#transfer.send(message.slice(), timeoutMs, options?.signal)
  }

  /** `sendBytes`, blocking this thread. */
  sendBytesSync(bytes: SendableBytes, offset = 0, size?: number, options?: WaitOptions): void {
    const timeoutMs = this.#checkSend(options)
    if (bytes instanceof Loan) {
      return sendLoanSync(bytes, offset, size, (message) =>
        this.#transfer.sendSync(message, timeoutMs),
      )
    }
    const message = section(bytes, offset, size)
    if (!this.#transfer.isInTurn() || !this.#transfer.tryPut(message))
      this.#transfer.sendSync(message, timeoutMs)
  }

  /**
   * Memory of a message, to be filled and then given to `sendBytes`: a long one is not copied.
   *
   * @throws MessageTooLargeError when it can never fit, OutOfSharedMemoryError when there is no room now.
   */
  allocate(byteLength: number): Loan {
    checkInteger('byteLength', byteLength, 0)
    this.#checkWritable()
    return new Loan(this.#pipe.session, 'connection', byteLength, new Uint8Array(0))
  }

  /**
   * Receives one message of bytes; with `lease` a long one is not copied: see `BytesLease`.
   *
   * @throws BufferTooShortError, with the message, when it is longer than `maxLength`.
   */
  recvBytes(maxLength: number | undefined, options: WaitOptions & LeaseOption): Promise<BytesLease>
  recvBytes(maxLength?: number, options?: WaitOptions): Promise<Uint8Array>
  async recvBytes(
    maxLength?: number,
    options?: WaitOptions & Partial<LeaseOption>,
  ): Promise<Uint8Array | BytesLease> {
    const limit = checkMaxLength(maxLength)
    const isLeased = checkLease(options)
    const timeoutMs = this.#checkReceive(options)
    if (!isLeased) return this.#transfer.receive(copyOfAtMost(limit), timeoutMs, options?.signal)
    const taken = await this.#transfer.take(timeoutMs, options?.signal)
    return leaseOf(this.#pipe.session, taken, limit)
  }

  /** `recvBytes`, blocking this thread. */
  recvBytesSync(maxLength: number | undefined, options: WaitOptions & LeaseOption): BytesLease
  recvBytesSync(maxLength?: number, options?: WaitOptions): Uint8Array
  recvBytesSync(
    maxLength?: number,
    options?: WaitOptions & Partial<LeaseOption>,
  ): Uint8Array | BytesLease {
    const limit = checkMaxLength(maxLength)
    const isLeased = checkLease(options)
    const timeoutMs = this.#checkReceive(options)
    if (!isLeased) return this.#transfer.receiveSync(copyOfAtMost(limit), timeoutMs)
    const taken = this.#transfer.takeSync(timeoutMs)
    return leaseOf(this.#pipe.session, taken, limit)
  }

  /**
   * Receives one message of bytes into `view`, from `offset` (bytes) on.
   *
   * @returns its length in bytes.
   * @throws BufferTooShortError, with the message, when it is longer than the room there is; `view` is unchanged.
   */
  async recvBytesInto(
    view: ArrayBufferView | ArrayBuffer,
    offset = 0,
    options?: WaitOptions,
  ): Promise<number> {
    const room = section(view, offset)
    const timeoutMs = this.#checkReceive(options)
    return this.#transfer.receive(copyInto(room), timeoutMs, options?.signal)
  }

  /** `recvBytesInto`, blocking this thread. */
  recvBytesIntoSync(
    view: ArrayBufferView | ArrayBuffer,
    offset = 0,
    options?: WaitOptions,
  ): number {
    const room = section(view, offset)
    return this.#transfer.receiveSync(copyInto(room), this.#checkReceive(options))
  }

  /**
   * Closes this process's hold on the end. The other side reads the end of file once all holders have.
   * Closing twice is fine.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    forgotten.unregister(this)
    this.#pipe.wakeOwn(this.#end)
    this.#pipe.letGo(this.#end)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Receives until the end of file. */
  [Symbol.asyncIterator](): AsyncIterator<Receive> {
    return iterate(
      () => this.recv(),
      (error) => error instanceof EOFError,
    )
  }

  /** For `wait()`: ready when there is something to receive, or the end of file. @internal */
  sentinel(): Sentinel {
    this.#checkReadable()
    const polling = this.#transfer.polling()
    const attempt: typeof polling.attempt = () => (this.#closed ? true : polling.attempt())
    return sentinelFor(this.#pipe.session, { ...polling, attempt })
  }

  /** Takes the connection apart for the serializer. @internal */
  reduceHandle(): Reduced {
    this.#checkOpen()
    const pipe = this.#pipe
    const end = this.#end
    const copy = pipe.depart(end)
    const recall = (): void => pipe.drop(end, copy)
    // What may be decoded any number of times never arrives for good: it counts as long as its sender lives.
    if (isKept()) noteInFlight({ recall })
    else noteInFlight({ recall, give: (through) => pipe.give(end, copy, through) })
    const duplex = this.readable && this.writable
    const place = isKept() ? -1 : copy.place
    return { module: ORIGIN, name: 'Connection', args: [pipe, end, duplex, place] }
  }

  /** Puts together what arrived. @internal */
  static reviveHandle(pipe: PipeCore, end: End, duplex: boolean, place: number): Connection {
    pipe.arrive(end, place)
    const known = open.get(pipe)?.[end]?.deref()
    const connection =
      known !== undefined && !known.closed ? known : new Connection(pipe, end, duplex)
    noteRevived(connection)
    return connection
  }

  #checkOpen(): void {
    if (this.#closed) throw new MultiprocessingError('ERR_MP_CLOSED', 'This connection is closed')
  }

  /** Checks a call that receives. @returns its timeout in milliseconds. */
  #checkReceive(options: WaitOptions | undefined): number {
    const timeoutMs = checkWaitOptions(options)
    this.#checkReadable()
    throwIfAborted(options)
    return timeoutMs
  }

  /** Checks a call that sends. @returns its timeout in milliseconds. */
  #checkSend(options: WaitOptions | undefined): number {
    this.#checkWritable()
    const timeoutMs = checkWaitOptions(options)
    throwIfAborted(options)
    return timeoutMs
  }

  #checkReadable(): void {
    this.#checkOpen()
    if (!this.readable) {
      throw new MultiprocessingError('ERR_MP_NOT_READABLE', 'This end of the pipe only sends')
    }
  }

  #checkWritable(): void {
    this.#checkOpen()
    if (!this.writable) {
      throw new MultiprocessingError('ERR_MP_NOT_WRITABLE', 'This end of the pipe only receives')
    }
  }
}

Object.defineProperty(Connection.prototype, reduceSymbol, {
  value: Connection.prototype.reduceHandle,
})
Object.defineProperty(Connection, reviveSymbol, { value: Connection.reviveHandle })
Object.defineProperty(Connection.prototype, waitableSymbol, {
  value: Connection.prototype.sentinel,
})
