/**
 * A connection over a socket: what `Client` and `listener.accept()` give.
 *
 * Unlike a `Connection` it belongs to one thread, and only data of the sender's own travels: there is
 * no shared memory between the two sides.
 *
 * @module
 */
import { Backlog, decodeLater, dumps, loads } from '@mp/pickle'
import {
  MultiprocessingError,
  PENDING,
  type Pending,
  PollState,
  SharedObject,
  TimeoutError,
  type WaitOptions,
  checkWaitOptions,
  pollDescriptor,
  throwIfAborted,
  type Sentinel,
  waitableSymbol,
} from '@mp/shared-memory/internal'
import { checkLength, checkMaxLength, copyInto, section } from '../bytes.js'
import type { ConnectionLike } from '../connection-like.js'
import { Connection } from '../connection.js'
import { EOFError, TruncatedMessageError } from '../errors.js'
import { tooLarge } from './frames.js'
import { Inbox } from './inbox.js'
import { Outbox } from './outbox.js'
import { type SocketReader, descriptorOf } from './reader.js'

/** What the two sides have agreed on. */
export interface Treaty {
  /** Whether both have proved that they know the key: then functions and classes may come, too. */
  readonly isTrusted: boolean
  /** The longest message to accept, in bytes. */
  readonly maxMessageBytes: number
  /** The longest that the other side accepts. */
  readonly peerMaxMessageBytes: number
}

/** How long a closed TCP socket is kept for the other side to read what was sent, in milliseconds. */
const LINGER_MS = 2_000

/** Closes the sockets of connections that were forgotten without being closed. */
const forgotten = new FinalizationRegistry<SocketReader>(drop)

export class SocketConnection<Send = unknown, Receive = Send> implements ConnectionLike<
  Send,
  Receive
> {
  readonly readable = true
  readonly writable = true
  readonly #reader: SocketReader
  readonly #inbox: Inbox
  /** What was received here and given to nobody yet. */
  readonly #backlog = new Backlog()
  readonly #outbox: Outbox
  readonly #treaty: Treaty
  #closed = false

  /** Use `Client()` or `Listener.listen()`. @internal */
  constructor(reader: SocketReader, treaty: Treaty) {
    this.#reader = reader
    this.#treaty = treaty
    this.#inbox = new Inbox(reader, treaty.maxMessageBytes, treaty.isTrusted)
    this.#outbox = new Outbox(reader)
    forgotten.register(this, reader, this)
  }

  /** Whether this side has closed it. */
  get closed(): boolean {
    return this.#closed
  }

  /**
   * Sends a value; done when all of it is in the kernel's hands, so the sender may exit or be killed then.
   *
   * Waits while the other side does not receive and the kernel's buffer is full.
   *
   * @throws BrokenPipeError when the other side has closed its end or died; PicklingError, with the path, when the
   * value cannot be sent: shared objects cannot leave their session, and without an `authKey` only data goes;
   * `ERR_MP_MESSAGE_TOO_LARGE` when the other side does not take so much; TimeoutError (`ERR_MP_TIMEOUT`) when
   * `timeout` passes first. The other side then receives nothing of it.
   */
  async send(value: Send, options?: WaitOptions): Promise<void> {
    this.#checkOpen()
    await this.#send(this.#encode(value), options)
  }

  /** `send`, blocking this thread. Throws `ERR_MP_BUSY` while a `send` before it is held up. */
  sendSync(value: Send, options?: WaitOptions): void {
    this.#checkOpen()
    this.#sendSync(this.#encode(value), options)
  }

  /**
   * Receives the next value; waits for it.
   *
   * @throws EOFError when nothing is left and the other side has closed its end or died (TruncatedMessageError, when
   * that was half-way through a message); UnpicklingError when what came is no value, or more than data and there is
   * no `authKey`; TimeoutError (`ERR_MP_TIMEOUT`) when `timeout` passes first.
   */
  async recv(options?: WaitOptions): Promise<Receive> {
    const message = await this.#receive(options)
    return (this.#treaty.isTrusted ? decodeLater(message) : this.#decode(message)) as Receive
  }

  /** `recv`, blocking this thread. */
  recvSync(options?: WaitOptions): Receive {
    return this.#decode(this.#receiveSync(options))
  }

  /**
   * Waits until there is something to receive, be it the end of file; takes nothing.
   *
   * @returns false when `timeout` (milliseconds) passes first.
   */
  async poll(options?: WaitOptions): Promise<boolean> {
    const timeoutMs = checkWaitOptions(options)
    this.#checkOpen()
    const { signal } = options ?? {}
    return (await this.#reader.line.wait(this.#poll, { timeoutMs, signal })) !== PENDING
  }

  /** `poll`, blocking this thread. */
  pollSync(options?: WaitOptions): boolean {
    const timeoutMs = checkWaitOptions(options)
    this.#checkOpen()
    throwIfAborted(options)
    return this.#block(this.#poll, timeoutMs) !== PENDING
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
    this.#checkOpen()
    await this.#send(section(bytes, offset, size).slice(), options)
  }

  /** `sendBytes`, blocking this thread. */
  sendBytesSync(
    bytes: ArrayBufferView | ArrayBuffer,
    offset = 0,
    size?: number,
    options?: WaitOptions,
  ): void {
    this.#checkOpen()
    this.#sendSync(section(bytes, offset, size), options)
  }

  /**
   * Receives one message of bytes; nothing is decoded.
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
    const message = await this.#receive(options)
    return copyInto(room)(message, message.byteLength)
  }

  /** `recvBytesInto`, blocking this thread. */
  recvBytesIntoSync(
    view: ArrayBufferView | ArrayBuffer,
    offset = 0,
    options?: WaitOptions,
  ): number {
    const room = section(view, offset)
    const message = this.#receiveSync(options)
    return copyInto(room)(message, message.byteLength)
  }

  /**
   * Closes this side. The other one receives what was sent, then reads the end of file. Closing twice is fine.
   *
   * Whoever waits here gets `ERR_MP_CLOSED`.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    forgotten.unregister(this)
    this.#outbox.fail(closed())
    drop(this.#reader)
    this.#reader.line.serve()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Receives until the end of file; throws when that cuts off a message. */
  async *[Symbol.asyncIterator](): AsyncIterator<Receive> {
    for (;;) {
      let value: Receive
      try {
        value = await this.recv()
      } catch (error) {
        if (error instanceof EOFError && !(error instanceof TruncatedMessageError)) return
        throw error
      }
      yield value
    }
  }

  /** For `wait()`: ready when there is something to receive, or the end of file. @internal */
  sentinel(): Sentinel {
    this.#checkOpen()
    const attempt = (): true | Pending => (this.#closed || this.#isReady() ? true : PENDING)
    return {
      ready: () => attempt() !== PENDING,
      onReady: (callback) => {
        const stop = new AbortController()
        const cancelled = (): void => {}
        this.#reader.line
          .wait(attempt, { timeoutMs: Infinity, signal: stop.signal })
          .then(callback, cancelled)
        return () => stop.abort()
      },
    }
  }

  readonly #poll = (): true | Pending => {
    this.#checkOpen()
    return this.#isReady() ? true : PENDING
  }

  #isReady(): boolean {
    return this.#backlog.any || this.#inbox.isReady()
  }

  readonly #take = (): Uint8Array | Pending => {
    this.#checkOpen()
    return this.#backlog.any ? this.#backlog.shift().bytes : this.#inbox.take()
  }

  #encode(value: Send): Uint8Array {
    return dumps(value, { dataOnly: !this.#treaty.isTrusted, refuse: whyItStays })
  }

  #decode(message: Uint8Array): Receive {
    return (
      this.#treaty.isTrusted
        ? this.#backlog.decodeNow(message, message.byteLength)
        : loads(message, { dataOnly: true })
    ) as Receive
  }

  async #send(message: Uint8Array, options: WaitOptions | undefined): Promise<void> {
    const timeoutMs = checkWaitOptions(options)
    this.#checkSize(message)
    await this.#outbox.send(message, timeoutMs, options?.signal)
  }

  #sendSync(message: Uint8Array, options: WaitOptions | undefined): void {
    const timeoutMs = checkWaitOptions(options)
    throwIfAborted(options)
    this.#checkSize(message)
    this.#outbox.sendSync(message, performance.now() + timeoutMs)
  }

  async #receive(options: WaitOptions | undefined): Promise<Uint8Array> {
    const timeoutMs = checkWaitOptions(options)
    this.#checkOpen()
    const { signal } = options ?? {}
    const message = await this.#reader.line.wait(this.#take, { timeoutMs, signal })
    if (message === PENDING) throw tooLate()
    return message
  }

  #receiveSync(options: WaitOptions | undefined): Uint8Array {
    const timeoutMs = checkWaitOptions(options)
    this.#checkOpen()
    throwIfAborted(options)
    const message = this.#block(this.#take, timeoutMs)
    if (message === PENDING) throw tooLate()
    return message
  }

  #block<T>(attempt: () => T | Pending, timeoutMs: number): T | Pending {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const result = attempt()
      if (result !== PENDING) return result
      const left = deadline - performance.now()
      if (left <= 0) return PENDING
      pollDescriptor(descriptorOf(this.#reader.socket), PollState.readable, left)
    }
  }

  #checkSize({ byteLength }: Uint8Array): void {
    const { peerMaxMessageBytes } = this.#treaty
    if (byteLength > peerMaxMessageBytes) throw tooLarge(byteLength, peerMaxMessageBytes)
  }

  #checkOpen(): void {
    if (this.#closed) throw closed()
  }
}

Object.defineProperty(SocketConnection.prototype, waitableSymbol, {
  value: SocketConnection.prototype.sentinel,
})

/** Nothing is sent any more, and what comes is dropped; the other side gets what it was sent. */
function drop(reader: SocketReader): void {
  const { socket } = reader
  reader.close()
  if (socket.remoteAddress === undefined) {
    // A Unix socket: what was sent is with the other side already.
    socket.destroy()
    return
  }
  // TCP would drop what it has not delivered if the socket were destroyed with something unread in it.
  if (socket.readableEnded) {
    socket.destroy()
    return
  }
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  const ignore = (): void => {
    while (socket.read() !== null);
  }
  socket.once('close', () => clearTimeout(timer))
  socket.once('end', () => socket.destroy())
  socket.on('readable', ignore)
  socket.end()
  ignore()
}

/** Why an object with a hook cannot go to another session. */
function whyItStays(object: object): string | undefined {
  if (!(object instanceof SharedObject || object instanceof Connection)) return undefined
  const { name } = object.constructor
  return `is a ${name}, which only processes of one tree share; a socket's other side may belong to another`
}

function closed(): MultiprocessingError {
  return new MultiprocessingError('ERR_MP_CLOSED', 'This connection is closed')
}

function tooLate(): TimeoutError {
  return new TimeoutError('The timeout passed before the message was received')
}
