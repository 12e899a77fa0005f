/**
 * One end of a pipe.
 *
 * @module
 */
import { dumps, loads } from '@mp/pickle'
import {
  MultiprocessingError,
  PENDING,
  type Reduced,
  type WaitOptions,
  type Waitable,
  checkWaitOptions,
  deadlineAfter,
  isKept,
  noteInFlight,
  noteRevived,
  reduceSymbol,
  reviveSymbol,
  TimeoutError,
  throwIfAborted,
  trackInFlight,
} from '@mp/shared-memory/internal'
import type { ConnectionLike } from './connection-like.js'
import { checkLength, checkMaxLength, copyInto, section } from './bytes.js'
import { EOFError } from './errors.js'
import type { End, PipeCore } from './pipe-core.js'
import { type Sentinel, waitableSymbol } from './sentinel.js'

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
  #closed = false

  /** Connections come in pairs: use `Pipe()`. @internal */
  constructor(pipe: PipeCore, end: End, duplex: boolean) {
    this.#pipe = pipe
    this.#end = end
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
    this.#checkWritable()
    await this.#deliver(value, (message) => this.#send(message, options))
  }

  /** `send`, blocking this thread. */
  sendSync(value: Send, options?: WaitOptions): void {
    this.#checkWritable()
    const { result, cancel, give } = trackInFlight(() => dumps(value))
    try {
      give(this.#pipe.handle.index)
      this.#sendSync(result, options)
    } catch (error) {
      cancel()
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
    return loads(await this.#receive(options)) as Receive
  }

  /** `recv`, blocking this thread. */
  recvSync(options?: WaitOptions): Receive {
    return loads(this.#receiveSync(options)) as Receive
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
    this.#checkWritable()
    await this.#send(section(bytes, offset, size).slice(), options)
  }

  /** `sendBytes`, blocking this thread. */
  sendBytesSync(
    bytes: ArrayBufferView | ArrayBuffer,
    offset = 0,
    size?: number,
    options?: WaitOptions,
  ): void {
    this.#checkWritable()
    this.#sendSync(section(bytes, offset, size), options)
  }

  /**
   * Receives one message of bytes.
   *
   * @throws BufferTooShortError, with the message, when it is longer than `maxLength`.
   */
  async recvBytes(maxLength?: number, options?: WaitOptions): Promise<Uint8Array> {
    const limit = checkMaxLength(maxLength)
    return checkLength(await this.#receive(options), limit)
  }

  /** `recvBytes`, blocking this thread. */
  recvBytesSync(maxLength?: number, options?: WaitOptions): Uint8Array {
    const limit = checkMaxLength(maxLength)
    return checkLength(this.#receiveSync(options), limit)
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
    return copyInto(room, await this.#receive(options))
  }

  /** `recvBytesInto`, blocking this thread. */
  recvBytesIntoSync(
    view: ArrayBufferView | ArrayBuffer,
    offset = 0,
    options?: WaitOptions,
  ): number {
    const room = section(view, offset)
    return copyInto(room, this.#receiveSync(options))
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
  async *[Symbol.asyncIterator](): AsyncIterator<Receive> {
    for (;;) {
      let value: Receive
      try {
        value = await this.recv()
      } catch (error) {
        if (error instanceof EOFError) return
        throw error
      }
      yield value
    }
  }

  /** For `wait()`: ready when there is something to receive, or the end of file. @internal */
  sentinel(): Sentinel {
    this.#checkReadable()
    const polling = this.#pipe.polling(this.#end)
    const attempt: typeof polling.attempt = () => (this.#closed ? true : polling.attempt())
    const wait = { ...polling, attempt }
    return {
      ready: () => attempt() !== PENDING,
      onReady: (callback) => {
        const stop = new AbortController()
        const cancelled = (): void => {}
        this.#pipe.session.waiting.async(wait, Infinity, stop.signal).then(callback, cancelled)
        return () => stop.abort()
      },
    }
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

  async #deliver(value: Send, send: (message: Uint8Array) => Promise<void>): Promise<void> {
    const { result, cancel, give } = trackInFlight(() => dumps(value))
    try {
      give(this.#pipe.handle.index)
      await send(result)
    } catch (error) {
      cancel()
      throw error
    }
  }

  async #send(message: Uint8Array, options: WaitOptions | undefined): Promise<void> {
    const timeoutMs = checkWaitOptions(options)
    const { waiting } = this.#pipe.session
    const sending = this.#keep(this.#pipe.sending(this.#end, message))
    if ((await waiting.async(sending, timeoutMs, options?.signal)) === PENDING)
      throw tooLate('sent')
  }

  #sendSync(message: Uint8Array, options: WaitOptions | undefined): void {
    const timeoutMs = checkWaitOptions(options)
    throwIfAborted(options)
    const { waiting } = this.#pipe.session
    const sending = this.#pipe.sending(this.#end, message)
    const { set } = sending
    // What this thread began to send before goes first.
    const inTurn = (): boolean => !waiting.hasLine(set) || waiting.serveLine(set)
    const attempt: typeof sending.attempt = () => (inTurn() ? sending.attempt() : PENDING)
    if (this.#block({ ...sending, attempt }, timeoutMs) === PENDING) throw tooLate('sent')
  }

  async #receive(options: WaitOptions | undefined): Promise<Uint8Array> {
    const timeoutMs = checkWaitOptions(options)
    this.#checkReadable()
    const { waiting } = this.#pipe.session
    const receiving = this.#keep(this.#pipe.receiving(this.#end))
    const message = await waiting.async(receiving, timeoutMs, options?.signal)
    if (message === PENDING) throw tooLate('received')
    return message
  }

  #receiveSync(options: WaitOptions | undefined): Uint8Array {
    const timeoutMs = checkWaitOptions(options)
    this.#checkReadable()
    throwIfAborted(options)
    const message = this.#block(this.#pipe.receiving(this.#end), timeoutMs)
    if (message === PENDING) throw tooLate('received')
    return message
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
