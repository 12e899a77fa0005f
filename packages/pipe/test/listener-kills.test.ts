/**
 * Either side of a connection over a socket is killed at a random moment, while both send and receive.
 *
 * What it had sent comes whole and in order, then the end of file; nobody waits for the dead. `LISTENER_KILLS=50` kills
 * that many in place of 2 of each kind; `SEED` repeats the moments.
 */
import { type Address, Client, TruncatedMessageError, type SocketConnection } from '@mp/pipe'
import { Random } from 'mp-internal'
import { afterEach, describe, expect, test } from 'vitest'
import { ADDRESSES, Peers } from './socket-peers.js'

const KILLS = Number(process.env['LISTENER_KILLS'] ?? 2)
const seed = Number(process.env['SEED'] ?? Date.now() % 0x7fffffff)
console.log(`SEED=${seed}`)
const random = new Random(seed)

const peers = new Peers()
afterEach(() => peers.close())

type Message = [n: number, filling: Uint8Array]
const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code

/** Receives to the end; gives how many came, and how it ended. */
async function receiveAll(
  connection: SocketConnection<Message, Message>,
  onFirst: () => void,
): Promise<[number, unknown]> {
  for (let count = 0; ; count++) {
    try {
      const [n, filling] = await connection.recv({ timeout: 15_000 })
      if (count === 0) onFirst()
      const isWhole = n === count && filling.every((byte) => byte === n % 256)
      if (!isWhole) throw new Error(`message ${n} came as number ${count}, or torn`)
    } catch (error) {
      return [count, error]
    }
  }
}

/** Sends until nobody receives any more. */
async function sendAll(connection: SocketConnection<Message, Message>): Promise<unknown> {
  try {
    for (let n = 0; ; n++) {
      await connection.send([n, new Uint8Array([10, 70_000][n % 2])], { timeout: 15_000 })
      // A death is heard of in the event loop.
      if (n % 10 === 0) await new Promise(setImmediate)
    }
  } catch (error) {
    return error
  }
}

async function connect(
  role: string,
  address: Address | undefined,
): Promise<[SocketConnection<Message, Message>, ReturnType<Peers['start']>]> {
  if (role === 'client') {
    const listener = await peers.listen<Message>({ address, authKey: 'key' })
    const program = peers.start('spate', listener.address)
    return [peers.use(await listener.accept({ timeout: 20_000 })), program]
  }
  const program = peers.start('serveSpate', address ?? null)
  await program.untilOutput('\n')
  const bound = JSON.parse(program.stdout.split('\n')[0]) as Address
  return [peers.use(await Client<Message>(bound, { authKey: 'key', timeout: 20_000 })), program]
}

describe.each(ADDRESSES)('over %s', (_, address) => {
  test.each(['client', 'listener'])(
    `a %s that is killed leaves whole messages and the end (seed ${seed})`,
    async (role) => {
      for (let round = 0; round < KILLS; round++) {
        const [connection, program] = await connect(role, address)
        let onFirst = (): void => {}
        const first = new Promise<void>((resolve) => (onFirst = resolve))
        const received = receiveAll(connection, onFirst)
        const sent = sendAll(connection)
        await first
        await new Promise((resolve) => setTimeout(resolve, random.next() * 100))
        program.child.kill('SIGKILL')
        const { stdout } = await program.end()
        const [count, end] = await received
        if (!(end instanceof TruncatedMessageError)) expect(codeOf(end)).toBe('ERR_MP_EOF')
        expect(codeOf(await sent)).toBe('ERR_MP_BROKEN_PIPE')
        // What it said that it had sent was sent. TCP drops what it has not delivered when a process dies that has not
        // read all that was sent to it, as here.
        const said = stdout.match(/^sent \d+$/gm)?.length ?? 0
        if (address === undefined) expect(count).toBeGreaterThanOrEqual(said)
        connection.close()
      }
    },
    Math.max(30_000, KILLS * 3000),
  )
})

test('a listener goes on while others break off in the middle of their handshakes', async () => {
  const listener = await peers.listen<number>({ authKey: 'key' })
  const rounds = Math.max(3, KILLS)
  for (let round = 0; round < rounds; round++) {
    const stranger = await peers.stranger(listener.address)
    stranger.write(new Uint8Array(random.integer(0, 60)))
    stranger.destroy()
    const client = Client<number>(listener.address, { authKey: 'key', timeout: 10_000 })
    const accepted = peers.use(await listener.accept({ timeout: 10_000 }))
    const connected = peers.use(await client)
    await connected.send(round)
    expect(await accepted.recv({ timeout: 10_000 })).toBe(round)
  }
})
