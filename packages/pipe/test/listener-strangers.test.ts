/** Those who connect to a listener and do not know the key, or do not speak our language; and false listeners. */
import { AuthenticationError, Client, EOFError, type Listener } from '@mp/pipe'
import { dumps, PicklingError, UnpicklingError, reduceSymbol } from '@mp/pickle'
import { until } from 'mp-internal'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Socket, createServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ADDRESSES, Peers, everything } from './socket-peers.js'

const peers = new Peers()
afterEach(() => peers.close())

const HELLO = 64
const PROOF = 32

/** A hello as `src/socket/hello.ts` has it. */
function hello(role: 'L' | 'C', asksForProof = 1): Buffer {
  const bytes = Buffer.alloc(HELLO)
  bytes.write('@mp/pipe')
  bytes[8] = 1
  bytes.write(role, 9)
  bytes[10] = asksForProof
  bytes.writeBigUInt64BE(2n ** 31n, 12)
  bytes.write('sha256', 20)
  randomBytes(32).copy(bytes, 32)
  return bytes
}

function proof(key: string, role: 'L' | 'C', listener: Buffer, client: Buffer): Buffer {
  const hmac = createHmac('sha256', key)
  return hmac.update(`@mp/pipe 1 proof of ${role}\0`).update(listener).update(client).digest()
}

async function exactly(socket: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes: Buffer | null = socket.read(length)
    if (bytes !== null) return bytes
    await once(socket, 'readable')
  }
}

describe.each(ADDRESSES)('over %s', (_, address) => {
  let refused: Error[]

  async function listen(authKey: string | undefined, rest = {}): Promise<Listener> {
    refused = []
    const onRefused = (reason: Error): void => void refused.push(reason)
    return peers.listen({ address, authKey, onRefused, ...rest })
  }

  /** The listener is as good as before. */
  async function expectToServe(listener: Listener, authKey?: string): Promise<void> {
    const client = peers.use(await Client(listener.address, { authKey, timeout: 10_000 }))
    const connection = peers.use(await listener.accept({ timeout: 10_000 }))
    await connection.send('served')
    expect(await client.recv({ timeout: 10_000 })).toBe('served')
  }

  test.each([
    ['another key', 'key', 'other', /does not accept our authKey/, /does not know the authKey/],
    ['no key', 'key', undefined, /has an authKey, this client has none/, /has no authKey/],
    ['a key where none is asked for', undefined, 'key', /has no authKey/, /has an authKey/],
    ['a part of the key', 'key', 'ke', /does not accept/, /does not know/],
  ])('a client with %s is not let in', async (_, listeners, clients, there, here) => {
    const listener = await listen(listeners)
    const failed = Client(listener.address, { authKey: clients })
    await expect(failed).rejects.toThrow(AuthenticationError)
    await expect(failed).rejects.toThrow(there)
    await until('the listener has refused it', () => refused.length === 1)
    expect(refused[0]).toBeInstanceOf(AuthenticationError)
    expect(refused[0]?.message).toMatch(here)
    await expect(listener.accept({ timeout: 0 })).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
    await expectToServe(listener, listeners)
  })

  test('a key is its bytes, as text or not', async () => {
    const listener = await listen('schlüssel')
    const authKey = new TextEncoder().encode('schlüssel')
    peers.use(await Client(listener.address, { authKey }))
    peers.use(await listener.accept())
  })

  test('our own description of the protocol is right', async () => {
    const listener = await listen('key')
    const socket = await peers.stranger(listener.address)
    const mine = hello('C')
    socket.write(mine)
    const theirs = await exactly(socket, HELLO)
    socket.write(proof('key', 'C', theirs, mine))
    const answer = await exactly(socket, 1 + PROOF)
    expect(answer[0]).toBe(1)
    expect(answer.subarray(1)).toEqual(proof('key', 'L', theirs, mine))
    peers.use(await listener.accept())
  })

  test('a challenge that is sent back proves nothing', async () => {
    const listener = await listen('key')
    // All that comes is sent back as it is: in the wrong role.
    const mirror = await peers.stranger(listener.address)
    mirror.pipe(mirror)
    await until('it is refused', () => refused.length === 1)
    expect(refused[0]?.message).toMatch(/is no Client/)

    // The role is changed; and a second connection is to answer for the first one.
    const first = await peers.stranger(listener.address)
    const second = await peers.stranger(listener.address)
    const challenge = await exactly(first, HELLO)
    challenge.write('C', 9)
    second.write(challenge)
    const other = await exactly(second, HELLO)
    other.write('C', 9)
    first.write(other)
    second.write(randomBytes(PROOF))
    expect((await exactly(second, 1 + PROOF)).every((byte) => byte === 0)).toBe(true)
    first.write(Buffer.alloc(PROOF))
    expect((await exactly(first, 1 + PROOF)).every((byte) => byte === 0)).toBe(true)
    await until('both are refused', () => refused.length === 3)
    await expectToServe(listener, 'key')
  })

  test('a proof is of no use a second time', async () => {
    const listener = await listen('key')
    const mine = hello('C')
    const first = await peers.stranger(listener.address)
    first.write(mine)
    const right = proof('key', 'C', await exactly(first, HELLO), mine)
    first.write(right)
    expect((await exactly(first, 1 + PROOF))[0]).toBe(1)
    peers.use(await listener.accept())

    const second = await peers.stranger(listener.address)
    second.write(Buffer.concat([mine, right]))
    await exactly(second, HELLO)
    expect((await exactly(second, 1 + PROOF))[0]).toBe(0)
    await until('it is refused', () => refused.length === 1)
  })

  test('bytes behind the proof, before the answer, are refused', async () => {
    const listener = await listen('key')
    const mine = hello('C')
    const socket = await peers.stranger(listener.address)
    socket.write(mine)
    const right = proof('key', 'C', await exactly(socket, HELLO), mine)
    socket.write(Buffer.concat([right, Buffer.alloc(100)]))
    expect((await exactly(socket, 1 + PROOF))[0]).toBe(0)
    await until('it is refused', () => refused.length === 1)
  })

  test('one who speaks another language is refused at once', async () => {
    const listener = await listen('key')
    const socket = await peers.stranger(listener.address)
    const all = everything(socket)
    socket.write('GET')
    // It is told nothing but our hello.
    expect((await all).byteLength).toBe(HELLO)
    expect(refused[0]?.message).toMatch(/no Listener or Client/)
  })

  test('strangers who say nothing hold up nobody, and are dropped in the end', async () => {
    const listener = await listen('key', { handshakeTimeout: 300 })
    const strangers = []
    for (let i = 0; i < 20; i++) strangers.push(await peers.stranger(listener.address))
    const half = hello('C').subarray(0, 30)
    for (const socket of strangers.slice(10)) socket.write(half)
    const ends = strangers.map(everything)
    await expectToServe(listener, 'key')
    await Promise.all(ends)
    await until('all are refused', () => refused.length === 20)
    for (const { code } of refused as NodeJS.ErrnoException[]) expect(code).toBe('ERR_MP_TIMEOUT')
  })

  test('of too many strangers the oldest are dropped', async () => {
    const listener = await listen('key')
    const strangers = []
    for (let i = 0; i < 300; i++) strangers.push(await peers.stranger(listener.address))
    await expectToServe(listener, 'key')
    await until('the first ones are refused', () => refused.length >= 44)
    for (const { code } of refused as NodeJS.ErrnoException[]) expect(code).toBe('ERR_MP_BACKLOG')
    const [first] = strangers
    if (first !== undefined && !first.closed) await everything(first)
  })

  test('garbage of any kind gives an error and nothing else', async () => {
    const listener = await listen('key')
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
    let state = seed
    const random = (n: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % n
    }
    const rounds = 100
    for (let round = 0; round < rounds; round++) {
      const bytes = Buffer.concat([hello('C', random(2)), Buffer.alloc(PROOF + random(100))])
      const changes = 1 + random(5)
      for (let i = 0; i < changes; i++) bytes[random(bytes.length)] = random(256)
      const socket = await peers.stranger(listener.address)
      const all = everything(socket)
      socket.end(bytes.subarray(0, 1 + random(bytes.length)))
      const got = await all
      expect(got.byteLength, `SEED=${seed}, round ${round}`).toBeLessThanOrEqual(HELLO + 1 + PROOF)
      expect(got[HELLO] ?? 0, `SEED=${seed}, round ${round}`).toBe(0)
    }
    await until('all are refused', () => refused.length === rounds)
    for (const reason of refused) {
      const isKnown = reason instanceof AuthenticationError || reason instanceof EOFError
      expect(isKnown, `SEED=${seed}: ${reason.stack}`).toBe(true)
    }
    await expectToServe(listener, 'key')
  })

  describe('without a key', () => {
    test('data passes', async () => {
      const [here, there] = await peers.pair({ address })
      const data = [new Map([[1, new Set([1n])]]), new Date(5), Uint8Array.of(1), new Error('e')]
      await here.send(data)
      expect(await there.recv()).toEqual(data)
    })

    test('what is more than data is refused by the sender, naming its path', async () => {
      const [here, there] = await peers.pair({ address })
      const error = await here.send({ run: [() => 1] }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(PicklingError)
      expect(error).toMatchObject({ path: 'run[0]', message: expect.stringMatching(/only data/) })
      expect(() => here.sendSync(new (class Money {})())).toThrow(PicklingError)
      await here.send('fine')
      expect(await there.recv()).toBe('fine')
    })

    test('and by the receiver, who runs nothing of it', async () => {
      const [here, there] = await peers.pair({ address })
      const module = 'data:text/javascript,globalThis.ran = 1'
      const dangerous = [
        (): void => void Object.assign(globalThis, { ran: 1 }),
        process.exit,
        { [reduceSymbol]: () => ({ module, name: 'x', args: [] }) },
        { [reduceSymbol]: () => ({ revive: Array, args: [] }) },
      ]
      for (const value of dangerous) {
        await here.sendBytes(dumps(value))
        await expect(there.recv()).rejects.toThrow(UnpicklingError)
        await here.sendBytes(dumps(value))
        expect(await there.poll({ timeout: 10_000 })).toBe(true)
        expect(() => there.recvSync()).toThrow(UnpicklingError)
      }
      expect('ran' in globalThis).toBe(false)
      await here.send('fine')
      expect(await there.recv()).toBe('fine')
    })
  })
})

describe('a false listener', () => {
  async function pretend(serve: (socket: Socket) => unknown): Promise<{ port: number }> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      void serve(socket)
    })
    peers.use({
      [Symbol.dispose]: () => {
        server.close()
        for (const socket of sockets) socket.destroy()
      },
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { port: (server.address() as AddressInfo).port }
  }

  test('that accepts every key cannot prove that it knows ours', async () => {
    const address = await pretend(async (socket) => {
      socket.write(hello('L'))
      await exactly(socket, HELLO + PROOF)
      socket.write(Buffer.concat([Buffer.of(1), randomBytes(PROOF)]))
    })
    const failed = Client(address, { authKey: 'key' })
    await expect(failed).rejects.toThrow(AuthenticationError)
    await expect(failed).rejects.toThrow(/listener does not know the authKey/)
  })

  test('that sends back what the client says is found out', async () => {
    const address = await pretend((socket) => socket.pipe(socket))
    await expect(Client(address, { authKey: 'key' })).rejects.toThrow(/is no Listener/)
    const changes = await pretend(async (socket) => {
      const theirs = await exactly(socket, HELLO)
      theirs.write('L', 9)
      socket.write(theirs)
      socket.write(Buffer.concat([Buffer.of(1), await exactly(socket, PROOF)]))
    })
    await expect(Client(changes, { authKey: 'key' })).rejects.toThrow(/does not know the authKey/)
  })

  test('that wants no key gets nothing from a client that has one', async () => {
    let proofBytes = 0
    const address = await pretend(async (socket) => {
      socket.write(hello('L', 0))
      await exactly(socket, HELLO)
      socket.on('data', ({ length }) => (proofBytes += length))
    })
    await expect(Client(address, { authKey: 'key' })).rejects.toThrow(/has no authKey/)
    expect(proofBytes).toBe(0)
  })

  test('that is a server of another kind is told from one of ours', async () => {
    const address = await pretend((socket) => socket.write('220 mail.example ESMTP\r\n'))
    await expect(Client(address)).rejects.toThrow(/no Listener or Client/)
  })

  test('that hangs up is an end of file', async () => {
    const address = await pretend((socket) => socket.end())
    await expect(Client(address, { authKey: 'key' })).rejects.toThrow(EOFError)
  })

  test('that says nothing is given up by timeout and by signal', async () => {
    const address = await pretend(() => {})
    const options = { authKey: 'key', timeout: 50 }
    await expect(Client(address, options)).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
    await expect(Client(address, { timeout: 0 })).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
    const abort = new AbortController()
    const waits = Client(address, { signal: abort.signal })
    setTimeout(() => abort.abort(new Error('enough')), 20)
    await expect(waits).rejects.toThrow('enough')
    await expect(Client(address, { signal: abort.signal })).rejects.toThrow('enough')
  })
})
