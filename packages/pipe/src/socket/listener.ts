/**
 * Waiting for connections of processes that share no session: Python's `multiprocessing.connection.Listener`.
 *
 * Whoever connects is asked for its proof at once and beside all others, so a stranger who says
 * nothing delays nobody. `accept` gives only those who have been let in.
 *
 * @module
 */
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net'
import {
  MultiprocessingError,
  PENDING,
  type Pending,
  TimeoutError,
  type WaitOptions,
  checkInteger,
  checkWaitOptions,
  wrongType,
} from '@mp/shared-memory/internal'
import { type Address, type NetAddress, checkAddress } from './address.js'
import { type Terms, admit } from './handshake.js'
import { Line } from './line.js'
import { type SocketOptions, checkOptions, checkTerms } from './options.js'
import { OwnPath, cleanAtExit, removeFile } from './own-path.js'
import { SocketReader } from './reader.js'
import { SocketConnection } from './socket-connection.js'
import { connectionOptions } from './sockets.js'

/** Options of `Listener.listen`. */
export interface ListenerOptions extends SocketOptions {
  /**
   * Where to listen: the path of a Unix socket, or `{ host, port }`; host is this machine only when left out.
   *
   * A path that exists is `EADDRINUSE`, even if nobody listens there any more: remove it first.
   *
   * @default a Unix socket in a folder of its own that only this user can enter
   */
  address?: Address | undefined
  /**
   * How many connections may wait to be accepted; more are turned away.
   *
   * @default 128
   */
  backlog?: number | undefined
  /**
   * How long one who connects may take to prove that it knows the key, in milliseconds.
   *
   * @default 10000
   */
  handshakeTimeout?: number | undefined
  /** Told of each one who was not let in, and why. */
  onRefused?: ((reason: Error) => void) | undefined
}

/** How many may be proving themselves at a time; the oldest is dropped for one more. */
const MAX_STRANGERS = 256
const DEFAULT_BACKLOG = 128
const DEFAULT_HANDSHAKE_MS = 10_000

/** What is known once it listens. @internal */
interface Bound {
  readonly server: Server
  readonly address: Address
  readonly terms: Terms
  readonly backlog: number
  readonly handshakeMs: number
  readonly onRefused: (reason: Error) => void
  /** Removes what it has on the disk. */
  readonly clean: () => void
}

/**
 * Waits for connections of programs that were started apart; Python's `multiprocessing.connection.Listener`.
 *
 * Made by `Listener.listen()`; whoever connects uses `Client()`.
 */
export class Listener<Send = unknown, Receive = Send> {
  /** Where it listens, to be given to `Client`: the path, or the host and port that it really has. */
  readonly address: Address
  readonly #bound: Bound
  readonly #line: Line
  /** Those who were let in and wait to be accepted. */
  readonly #ready: { connection: SocketConnection<Send, Receive>; peer: Address | null }[] = []
  /** Those who have to prove themselves, in the order in which they came. */
  readonly #strangers = new Map<Socket, AbortController>()
  #lastAccepted: Address | null = null
  /** That a connection could not be taken, for want of descriptors, say: told once. */
  #failure: Error | undefined
  #isClosed = false

  /** Use `Listener.listen()`: a constructor cannot wait. @internal */
  private constructor(bound: Bound) {
    const { server } = bound
    this.#bound = bound
    this.address = bound.address
    this.#line = new Line((isBusy) => void (isBusy ? server.ref() : server.unref()))
    server.unref()
    server.on('connection', (socket) => void this.#meet(socket))
    server.on('error', (error) => {
      this.#failure = error
      this.#line.serve()
    })
  }

  /**
   * Listens for connections; done when a `Client` can connect.
   *
   * The thread that listens has to give its event loop turns: connections come in there. Of itself a listener does not
   * keep the event loop alive; waiting for `accept` does.
   *
   * @throws an Error with `code` `EADDRINUSE`, `EACCES`, … when it cannot listen there.
   * @example
   * const listener = await Listener.listen<string, number>({ authKey: 'secret' })
   * const connection = await listener.accept()
   * await connection.send('hello')
   * listener.close()
   */
  static async listen<Send = unknown, Receive = Send>(
    options: ListenerOptions = {},
  ): Promise<Listener<Send, Receive>> {
    checkOptions(options)
    const terms = checkTerms(options)
    const { address, backlog = DEFAULT_BACKLOG, handshakeTimeout = DEFAULT_HANDSHAKE_MS } = options
    const { onRefused = () => {} } = options
    checkInteger('backlog', backlog, 1, MAX_BACKLOG)
    checkInteger('handshakeTimeout', handshakeTimeout, 1, MAX_TIMER_MS)
    if (typeof onRefused !== 'function') throw wrongType('onRefused', 'a function', onRefused)
    const given = address === undefined ? undefined : checkAddress(address, 0)
    const bound = await bind(given, backlog)
    const rest = { terms, backlog, handshakeMs: handshakeTimeout, onRefused }
    return new Listener<Send, Receive>({ ...bound, ...rest })
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#isClosed
  }

  /** The address of the connection that was accepted last; null when there is none, or it has none (Unix sockets). */
  get lastAccepted(): Address | null {
    return this.#lastAccepted
  }

  /**
   * Waits for the next connection that was let in.
   *
   * Those who cannot prove that they know the `authKey` never get here: see `onRefused`.
   *
   * @throws TimeoutError (`ERR_MP_TIMEOUT`) when `timeout` passes first; MultiprocessingError `ERR_MP_CLOSED` when the
   * listener is closed, also meanwhile.
   */
  async accept(options?: WaitOptions): Promise<SocketConnection<Send, Receive>> {
    const timeoutMs = checkWaitOptions(options)
    const { signal } = options ?? {}
    const attempt = (): SocketConnection<Send, Receive> | Pending => {
      if (this.#isClosed) throw closed()
      const first = this.#ready.shift()
      if (first !== undefined) {
        this.#lastAccepted = first.peer
        return first.connection
      }
      const failure = this.#failure
      this.#failure = undefined
      if (failure !== undefined) throw failure
      return PENDING
    }
    const connection = await this.#line.wait(attempt, { timeoutMs, signal })
    if (connection === PENDING) {
      throw new TimeoutError('The timeout passed before somebody connected')
    }
    return connection
  }

  /**
   * Listens no longer, removes its socket file, and drops those who were not accepted. Accepted connections live on.
   *
   * Closing twice is fine.
   */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#bound.server.close()
    this.#bound.clean()
    for (const stop of this.#strangers.values()) stop.abort(closed())
    for (const { connection } of this.#ready.splice(0)) connection.close()
    this.#line.serve()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Accepts until it is closed. */
  async *[Symbol.asyncIterator](): AsyncIterator<SocketConnection<Send, Receive>> {
    for (;;) {
      let connection: SocketConnection<Send, Receive>
      try {
        connection = await this.accept()
      } catch (error) {
        if (this.#isClosed) return
        throw error
      }
      yield connection
    }
  }

  async #meet(socket: Socket): Promise<void> {
    const { terms, handshakeMs, onRefused } = this.#bound
    const peer = peerOf(socket)
    // A stranger does not keep this process alive.
    const reader = new SocketReader(socket, false)
    const stop = new AbortController()
    this.#strangers.set(socket, stop)
    this.#dropOldest()
    const timer = setTimeout(() => stop.abort(tooSlow()), handshakeMs).unref()
    try {
      const agreement = await admit(reader, terms, stop.signal)
      if (this.#ready.length >= this.#bound.backlog) throw full()
      const treaty = { ...agreement, isTrusted: terms.key !== undefined }
      const { maxMessageBytes } = terms
      reader.hold()
      const connection = new SocketConnection<Send, Receive>(reader, { ...treaty, maxMessageBytes })
      this.#ready.push({ connection, peer })
      this.#line.serve()
    } catch (error) {
      // What was written goes first: the answer that says no.
      socket.destroySoon()
      if (!this.#isClosed) onRefused(error as Error)
    } finally {
      clearTimeout(timer)
      this.#strangers.delete(socket)
    }
  }

  #dropOldest(): void {
    if (this.#strangers.size <= MAX_STRANGERS) return
    const [[socket, stop]] = this.#strangers
    this.#strangers.delete(socket)
    stop.abort(full())
  }
}

const MAX_BACKLOG = 0xffff
const MAX_TIMER_MS = 0x7fffffff

async function bind(
  given: NetAddress | undefined,
  backlog: number,
): Promise<Pick<Bound, 'server' | 'address' | 'clean'>> {
  const own = given === undefined ? new OwnPath() : undefined
  const where = given ?? { path: (own as OwnPath).path }
  const server = createServer(connectionOptions)
  try {
    await listening(server, where, backlog)
  } catch (error) {
    own?.remove()
    throw error
  }
  if (!('path' in where)) {
    const { address: host, port } = server.address() as AddressInfo
    return { server, address: { host, port }, clean: () => {} }
  }
  const { path } = where
  // A server that is closed removes its file itself, but not one whose thread ends.
  const remove = (): void => (own === undefined ? removeFile(path) : own.remove())
  const keep = cleanAtExit(remove)
  const clean = (): void => {
    keep()
    own?.remove()
  }
  return { server, address: path, clean }
}

function listening(server: Server, where: NetAddress, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...where, backlog, exclusive: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Who is at the other end; null for Unix sockets, which have no names there. */
function peerOf({ remoteAddress, remotePort }: Socket): Address | null {
  if (remoteAddress === undefined || remotePort === undefined) return null
  return { host: remoteAddress, port: remotePort }
}

function closed(): MultiprocessingError {
  return new MultiprocessingError('ERR_MP_CLOSED', 'This listener is closed')
}

function tooSlow(): TimeoutError {
  return new TimeoutError('The client took too long to prove itself')
}

function full(): MultiprocessingError {
  return new MultiprocessingError('ERR_MP_BACKLOG', 'Too many connections wait to be accepted')
}
