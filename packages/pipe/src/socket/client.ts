/**
 * Connecting to a listener: Python's `multiprocessing.connection.Client`.
 *
 * @module
 */
import { type Socket, connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { TimeoutError, type WaitOptions, checkWaitOptions } from '@mp/shared-memory/internal'
import { type Address, type NetAddress, checkAddress } from './address.js'
import { ask } from './handshake.js'
import { type SocketOptions, checkOptions, checkTerms } from './options.js'
import { SocketReader, errnoOf } from './reader.js'
import { SocketConnection } from './socket-connection.js'
import { connectionOptions } from './sockets.js'

/** Options of `Client`. */
export interface ClientOptions extends SocketOptions, WaitOptions {}

/** How long to wait before asking again a listener whose backlog is full: a Unix socket does not let us wait for it. */
const RETRY_MS = 10

/** What a timer holds: 31 bits. */
const MAX_TIMER_MS = 0x7fffffff

/**
 * Connects to a listener, in this process tree or another.
 *
 * It does not wait for the listener to `accept`.
 *
 * @throws AuthenticationError when the two sides do not have the same `authKey`, or what is there is no listener;
 * EOFError when the listener closed the connection; TimeoutError (`ERR_MP_TIMEOUT`) when `timeout` passes first; an
 * Error with `code` `ECONNREFUSED`, `ENOENT`, … when nobody listens there.
 * @example
 * const connection = await Client<number, string>('/run/app/socket', { authKey: 'secret', timeout: 1000 })
 * console.log(await connection.recv())
 */
export async function Client<Send = unknown, Receive = Send>(
  address: Address,
  options: ClientOptions = {},
): Promise<SocketConnection<Send, Receive>> {
  const where = checkAddress(address, 1)
  checkOptions(options)
  const terms = checkTerms(options)
  const timeoutMs = checkWaitOptions(options)
  const stop = new AbortController()
  const onAbort = (): void => stop.abort(options.signal?.reason)
  if (options.signal?.aborted === true) onAbort()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  const late = new TimeoutError('The timeout passed before the connection was made')
  const timer =
    timeoutMs <= MAX_TIMER_MS
      ? setTimeout(() => stop.abort(late), Math.max(timeoutMs, 0))
      : undefined
  try {
    const socket = await reach(where, stop.signal)
    const reader = new SocketReader(socket, true)
    try {
      const agreement = await ask(reader, terms, stop.signal)
      const isTrusted = terms.key !== undefined
      const { maxMessageBytes } = terms
      return new SocketConnection<Send, Receive>(reader, {
        ...agreement,
        isTrusted,
        maxMessageBytes,
      })
    } catch (error) {
      socket.destroy()
      throw error
    }
  } finally {
    clearTimeout(timer)
    options.signal?.removeEventListener('abort', onAbort)
  }
}

async function reach(where: NetAddress, signal: AbortSignal): Promise<Socket> {
  for (;;) {
    signal.throwIfAborted()
    try {
      return await tryToReach(where, signal)
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error
      // Its end is looked at above.
      await sleep(RETRY_MS)
    }
  }
}

function tryToReach(where: NetAddress, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...where, ...connectionOptions })
    // Nobody else listens until it has a reader; then what fails is noticed by whoever reads or writes.
    socket.on('error', () => {})
    const finish = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort)
      socket.off('connect', onConnect)
      socket.off('error', onError)
      settle()
    }
    const onConnect = (): void => finish(() => resolve(socket))
    const onError = (error: Error): void => finish(() => reject(error))
    const onAbort = (): void => {
      finish(() => reject(signal.reason))
      socket.destroy()
    }
    socket.once('connect', onConnect)
    socket.once('error', onError)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
