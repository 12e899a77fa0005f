/**
 * One end of a pipe.
 *
 * @module
 */
import { encodeTo, loadsFrom } from '@mp/pickle'
import {
  MultiprocessingError,
  Outgoing,
  PENDING,
  type Reduced,
  type Sentinel,
  type Target,
  type WaitOptions,
  type Waitable,
  checkWaitOptions,
  collectNotes,
  deadlineAfter,
  isKept,
  iterate,
  noteInFlight,
  noteRevived,
  reduceSymbol,
  reviveSymbol,
  sentinelFor,
  TimeoutError,
  throwIfAborted,
  waitableSymbol,
} from '@mp/shared-memory/internal'
import { type Read, copyInto, copyOfAtMost, section } from './bytes.js'
import { EOFError } from './errors.js'
import type { End, PipeCore } from './pipe-core.js'

/** Lets go of ends whose connections were forgotten without being closed. */
const forgotten = new FinalizationRegistry<{ pipe: PipeCore; end: End }>(({ pipe, end }) => {
  // By now a copy that came back may hold it.
  if (open.get(pipe)?.[end]?.deref() === undefined) pipe.letGo(end)
})

/** The open connections of this thread: one for each end that it holds. */
const open = new WeakMap<PipeCore, [WeakRef<Connection>?, WeakRef<Connection>?]>()

export class Connection<Send = unknown, Receive = Send> {
  readonly readable: boolean
  readonly writable: boolean
  readonly #pipe: PipeCore
  readonly #end: End
  readonly #target: Target
  #closed = false

  /** Connections come in pairs: use `Pipe()`. @internal */
  constructor(pipe: PipeCore, end: End, duplex: boolean) {
    this.#pipe = pipe
    this.#end = end
    this.#target = pipe.target(end)
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
    const { waiting } = this.#pipe.session
    const message = this.#encode(value, !waiting.hasLine(this.#pipe.outgoing(this.#end).notFull))
    if (message.result === 'put') return
    try {
      await this.#send(message.bytes!, timeoutMs, options?.signal)
    } catch (error) {
      message.cancel()
      throw error
    }
  }

  /** `send`, blocking this thread. */
  sendSync(value: Send, options?: WaitOptions): void {
    const timeoutMs = this.#checkSend(options)
    const message = this.#encode(value, this.#isInTurn())
    if (message.result === 'put') return
    try {
      this.#sendSync(message.bytes!, timeoutMs)
    } catch (error) {
      message.cancel()
      throw error
    }
  }

  /**
   * Receives the next value; waits for it.
   *
   * @throws EOFError when nothing is left and every holder of the other end has closed it or died;
   * TimeoutError (`ERR_MP_TIMEOUT`) when `timeout` passes first.
   */
  async recv(options?: WaitOptions): Promise<Receive> {
    return (await this.#receive(loadsFrom, options)) as Receive
  }

  /** `recv`, blocking this thread. */
  recvSync(options?: WaitOptions): Receive {
    return this.#receiveSync(loadsFrom, options) as Receive
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
    const polling = this.#keep(this.#pipe.polling(this.#end))
    return (await waiting.async(polling, timeoutMs, options?.signal)) !== PENDING
  }

  /** `poll`, blocking this thread. */
  pollSync(options?: WaitOptions): boolean {
    const timeoutMs = checkWaitOptions(options)
    this.#checkReadable()
    throwIfAborted(options)
    return this.#block(this.#pipe.polling(this.#end), timeoutMs) !== PENDING
  }

  /**
   * Sends bytes as one message.
   *
   * @param offset where they start in `bytes`, in bytes.
   * @param size how many; left out: up to the end.
   */
  async sendBytes(
    bytes: ArrayBufferView | ArrayBuffer,
    offset = 0,
    size?: number,
    options?: WaitOptions,
  ): Promise<void> {
    const message = section(bytes, offset, size)
    const timeoutMs = this.#checkSend(options)
    const { waiting } = this.#pipe.session
    if (!waiting.hasLine(this.#pipe.outgoing(this.#end).notFull) && this.#tryPut(message)) return
    await this.#send(message.slice(), timeoutMs, options?.signal)
  }

  /** `sendBytes`, blocking this thread. */
  sendBytesSync(
    bytes: ArrayBufferView | ArrayBuffer,
    offset = 0,
    size?: number,
    options?: WaitOptions,
  ): void {
    const message = section(bytes, offset, size)
    const timeoutMs = this.#checkSend(options)
    if (!this.#isInTurn() || !this.#tryPut(message)) this.#sendSync(message, timeoutMs)
  }

  /**
   * Receives one message of bytes.
   *
   * @throws BufferTooShortError, with the message, when it is longer than `maxLength`.
   */
  async recvBytes(maxLength?: number, options?: WaitOptions): Promise<Uint8Array> {
    return this.#receive(copyOfAtMost(maxLength), options)
  }

  /** `recvBytes`, blocking this thread. */
  recvBytesSync(maxLength?: number, options?: WaitOptions): Uint8Array {
    return this.#receiveSync(copyOfAtMost(maxLength), options)
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
    return this.#receive(copyInto(section(view, offset)), options)
  }

  /** `recvBytesInto`, blocking this thread. */
  recvBytesIntoSync(
    view: ArrayBufferView | ArrayBuffer,
    offset = 0,
    options?: WaitOptions,
  ): number {
    return this.#receiveSync(copyInto(section(view, offset)), options)
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
    const polling = this.#pipe.polling(this.#end)
    const attempt: typeof polling.attempt = () => (this.#closed ? true : polling.attempt())
    return sentinelFor(this.#pipe.session, { ...polling, attempt })
  }

  /** Takes the connection apart for the serializer. @internal */
  reduceHandle(): Reduced {
    this.#checkOpen()
    const pipe = this.#pipe
    const end = this.#end
    const copy = pipe.depart(end)
    noteInFlight({ recall: () => pipe.drop(end, copy) })
    const duplex = this.readable && this.writable
    const place = isKept() ? -1 : copy.place
    return { module: import.meta.url, name: 'Connection', args: [pipe, end, duplex, place] }
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

  /** Encodes a value, and sends it if it is first and there is room. */
  #encode(value: Send, isFirst: boolean): Outgoing {
    const message = new Outgoing(this.#target, this.#pipe.handle.index, isFirst, 0)
    collectNotes(message, encodeTo, value)
    return message
  }

  #tryPut(message: Uint8Array): boolean {
    return this.#target.tryPutOne(message, message.byteLength) === 'put'
  }

  async #send(
    message: Uint8Array,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { waiting } = this.#pipe.session
    const sending = this.#keep(this.#pipe.sending(this.#end, message))
    if ((await waiting.async(sending, timeoutMs, signal)) === PENDING) throw tooLate('sent')
  }

  #sendSync(message: Uint8Array, timeoutMs: number): void {
    const sending = this.#pipe.sending(this.#end, message)
    const attempt: typeof sending.attempt = () => (this.#isInTurn() ? sending.attempt() : PENDING)
    if (this.#block({ ...sending, attempt }, timeoutMs) === PENDING) throw tooLate('sent')
  }

  /** Whether nothing is left of what this thread began to send before: that goes first. */
  #isInTurn(): boolean {
    const { waiting } = this.#pipe.session
    const { notFull } = this.#pipe.outgoing(this.#end)
    return !waiting.hasLine(notFull) || waiting.serveLine(notFull)
  }

  async #receive<R>(read: Read<R>, options: WaitOptions | undefined): Promise<R> {
    const timeoutMs = this.#checkReceive(options)
    const { waiting } = this.#pipe.session
    const ring = this.#pipe.incoming(this.#end)
    // Those of this thread who wait already go first.
    const now = waiting.hasLine(ring.notEmpty) ? PENDING : ring.tryRead(read)
    if (now !== PENDING) return now
    const receiving = this.#keep(this.#pipe.receiving(this.#end))
    const message = await waiting.async(receiving, timeoutMs, options?.signal)
    if (message === PENDING) throw tooLate('received')
    return message.read(read)
  }

  #receiveSync<R>(read: Read<R>, options: WaitOptions | undefined): R {
    const timeoutMs = this.#checkReceive(options)
    const now = this.#pipe.incoming(this.#end).tryRead(read)
    if (now !== PENDING) return now
    const message = this.#block(this.#pipe.receiving(this.#end), timeoutMs)
    if (message === PENDING) throw tooLate('received')
    return message.read(read)
  }

  #block<T>(waitable: Waitable<T>, timeoutMs: number): T | typeof PENDING {
    const first = waitable.attempt()
    if (first !== PENDING) return first
    const { waiting, agent } = this.#pipe.session
    return waiting.block(waitable, deadlineAfter(agent, timeoutMs))
  }

  /** While somebody waits, the connection is not forgotten; when it is closed meanwhile, the wait ends. */
  #keep<T>(waitable: Waitable<T>): Waitable<T> {
    const attempt = (): T | typeof PENDING => {
      this.#checkOpen()
      return waitable.attempt()
    }
    return { ...waitable, attempt }
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

function tooLate(what: string): TimeoutError {
  return new TimeoutError(`The timeout passed before the message was ${what}`)
}
