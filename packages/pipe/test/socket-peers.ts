/**
 * What the tests of sockets share: both kinds of address, pairs of connections, and programs of sessions of their own.
 *
 * @module
 */
import {
  type Address,
  Client,
  Listener,
  type ListenerOptions,
  type SocketConnection,
} from '@mp/pipe'
import { Program } from 'mp-internal'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./fixtures/socket-peer.mjs', import.meta.url))

/** Both kinds. */
export const ADDRESSES: readonly [string, Address | undefined][] = [
  ['a Unix socket', undefined],
  ['TCP', { port: 0 }],
]

/** What a test has open. */
export class Peers {
  readonly #open: Disposable[] = []
  readonly #programs: Program[] = []

  /** It is closed at the end of the test. */
  use<T extends Disposable>(thing: T): T {
    this.#open.push(thing)
    return thing
  }

  async listen<Send = unknown, Receive = Send>(
    options?: ListenerOptions,
  ): Promise<Listener<Send, Receive>> {
    return this.use(await Listener.listen<Send, Receive>(options))
  }

  /** Two ends of a connection, both here: the listener's and the client's. */
  async pair<A = any, B = A>(
    options: ListenerOptions = { authKey: 'key' },
  ): Promise<[SocketConnection<A, B>, SocketConnection<B, A>]> {
    const listener = await this.listen<A, B>(options)
    const { authKey, maxMessageBytes } = options
    const there = this.use(await Client<B, A>(listener.address, { authKey, maxMessageBytes }))
    const here = this.use(await listener.accept({ timeout: 10_000 }))
    listener.close()
    return [here, there]
  }

  /** Starts a program; its key is `key`. */
  start(scenario: string, address: Address | null, authKey = 'key'): Program {
    const args = [PROGRAM, scenario, JSON.stringify(address), authKey]
    const program = new Program(process.execPath, { args, timeoutMs: 28_000 })
    this.#programs.push(program)
    return program
  }

  /** A socket that speaks for itself. */
  async stranger(address: Address): Promise<Socket> {
    const socket = connect(typeof address === 'string' ? { path: address } : { ...address })
    socket.on('error', () => {})
    this.use({ [Symbol.dispose]: () => void socket.destroy() })
    await once(socket, 'connect')
    return socket
  }

  async close(): Promise<void> {
    for (const thing of this.#open.splice(0)) thing[Symbol.dispose]()
    const programs = this.#programs.splice(0)
    for (const program of programs) {
      program.child.kill('SIGKILL')
      await program.end()
    }
    // What killed listeners leave behind goes with the next one.
    if (programs.length > 0) (await Listener.listen()).close()
  }
}

/** Everything that comes over a socket until its end. */
export async function everything(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = []
  socket.on('data', (piece: Buffer) => pieces.push(piece))
  if (!socket.closed) await once(socket, 'close')
  return Buffer.concat(pieces)
}
