/** What is left of a connection over a socket when a process dies, or the stream is corrupt. */
import {
  BrokenPipeError,
  Client,
  EOFError,
  TruncatedMessageError,
  type SocketConnection,
} from '@mp/pipe'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ADDRESSES, Peers } from './socket-peers.js'

const peers = new Peers()
afterEach(() => peers.close())

describe.each(ADDRESSES)('over %s', (_, address) => {
  const options = { address, authKey: 'key' }

  test('all that was sent before SIGKILL arrives, then the end of file', async () => {
    const listener = await peers.listen<number>(options)
    const program = peers.start('sendAndDie', listener.address)
    const connection = peers.use(await listener.accept({ timeout: 15_000 }))
    await program.end()
    for (let i = 0; i < 1000; i++) expect(await connection.recv({ timeout: 10_000 })).toBe(i)
    await expect(connection.recv({ timeout: 10_000 })).rejects.toThrow(EOFError)
    await expect(connection.send(1)).rejects.toThrow(BrokenPipeError)
  })

  test.each(['async', 'sync'])(
    'a death within a message is told, and the message is not: %s',
    async (form) => {
      const listener = await peers.listen(options)
      const program = peers.start('dieWithin', listener.address)
      const connection = peers.use(await listener.accept({ timeout: 15_000 }))
      expect(await connection.recv({ timeout: 10_000 })).toBe('whole')
      await program.end()
      const error =
        form === 'async'
          ? await connection.recv({ timeout: 10_000 }).catch((reason: unknown) => reason)
          : caught(() => connection.recvSync({ timeout: 10_000 }))
      expect(error).toBeInstanceOf(TruncatedMessageError)
      expect(error).toBeInstanceOf(EOFError)
      expect(error).toMatchObject({ code: 'ERR_MP_TRUNCATED' })
      // And a loop does not take it for the end.
      await expect(connection[Symbol.asyncIterator]().next()).rejects.toThrow(TruncatedMessageError)
    },
  )

  test.each(['async', 'sync'])('the death of a listener ends a wait: %s', async (form) => {
    const server = peers.start('serve', address ?? null)
    await server.untilOutput('\n')
    const connection = peers.use(
      await Client<number, number>(JSON.parse(server.stdout), { authKey: 'key', timeout: 10_000 }),
    )
    await connection.send(21)
    expect(await connection.recv({ timeout: 10_000 })).toBe(42)
    if (form === 'async') {
      const received = connection.recv({ timeout: 10_000 })
      server.child.kill('SIGKILL')
      await expect(received).rejects.toThrow(EOFError)
    } else {
      server.child.kill('SIGKILL')
      expect(() => connection.recvSync({ timeout: 10_000 })).toThrow(EOFError)
    }
    await server.end()
    // What it has left behind goes with the next one.
    const next = await peers.listen()
    if (address === undefined) expect(existsSync(JSON.parse(server.stdout))).toBe(false)
    expect(existsSync(next.address as string)).toBe(true)
  })

  test('a receiver that dies while others send to it breaks the pipe', async () => {
    const listener = await peers.listen<any>(options)
    const program = peers.start('hang', listener.address)
    const connection = peers.use(await listener.accept({ timeout: 15_000 }))
    await program.untilOutput('connected')
    const sent = connection.sendBytes(new Uint8Array(50_000_000))
    const behind = connection.send('behind it')
    program.child.kill('SIGKILL')
    await expect(sent).rejects.toThrow(BrokenPipeError)
    await expect(behind).rejects.toThrow(BrokenPipeError)
    await expect(connection.recv({ timeout: 10_000 })).rejects.toThrow(EOFError)
  })

  test('what the dead had sent is received although a send to it was under way', async () => {
    const [here, there] = await peers.pair(options)
    await there.send('last words')
    const sent = here.sendBytes(new Uint8Array(50_000_000))
    there.close()
    await expect(sent).rejects.toThrow(BrokenPipeError)
    expect(await here.recv({ timeout: 10_000 })).toBe('last words')
    await expect(here.recv({ timeout: 10_000 })).rejects.toThrow(EOFError)
  })

  test('a blocked sender hears of the death of the receiver', async () => {
    const listener = await peers.listen(options)
    const program = peers.start('sendTooMuchSync', listener.address)
    const connection = peers.use(await listener.accept({ timeout: 15_000 }))
    await program.untilOutput('sends')
    connection.close()
    await program.untilOutput('ERR_MP_BROKEN_PIPE')
    expect(await program.end()).toMatchObject({ code: 0, stderr: '' })
  })

  test('a client that dies before it is accepted is an end of file for who accepts it', async () => {
    const listener = await peers.listen(options)
    const program = peers.start('hang', listener.address)
    await program.untilOutput('connected')
    program.child.kill('SIGKILL')
    await program.end()
    const connection = peers.use(await listener.accept({ timeout: 10_000 }))
    await expect(connection.recv({ timeout: 10_000 })).rejects.toThrow(EOFError)
  })
})

test('a stranger who says nothing keeps no process alive', async () => {
  const program = peers.start('listenForASecond', null)
  await program.untilOutput('\n')
  await peers.stranger(JSON.parse(program.stdout))
  const before = performance.now()
  expect(await program.end()).toMatchObject({ code: 0, stderr: '' })
  // It has ten seconds to prove itself.
  expect(performance.now() - before).toBeLessThan(9_000)
})

test('clients wait for a listener that is too busy to take them in', async () => {
  const program = peers.start('listenBusily', null)
  await program.untilOutput('\n')
  const address = JSON.parse(program.stdout)
  const answers = Array.from({ length: 20 }, async (_, n) => {
    const client = peers.use(
      await Client<number, number>(address, { authKey: 'key', timeout: 15_000 }),
    )
    await client.send(n)
    return client.recv({ timeout: 15_000 })
  })
  expect(await Promise.all(answers)).toEqual(answers.map((_, n) => 2 * n))
})

test.each([
  ['listenAndEnd', 0],
  ['listenAndExit', 3],
])(
  'a listener that is not closed keeps no process alive, and its files go: %s',
  async (scenario, code) => {
    const program = peers.start(scenario, null)
    const { stdout, ...outcome } = await program.end()
    expect(outcome).toEqual({ code, signal: null, stderr: '' })
    expect(existsSync(dirname(JSON.parse(stdout)))).toBe(false)
  },
)

describe('a stream that makes no sense', () => {
  const COMMIT = 1
  const WITHDRAW = 2
  const NOP = 3

  function part(bytes: Uint8Array, length = bytes.length): Buffer {
    const header = Buffer.alloc(5)
    header[0] = 4
    header.writeUInt32LE(length, 1)
    return Buffer.concat([header, bytes])
  }

  function total(length: number): Buffer {
    const header = Buffer.alloc(9)
    header[0] = 5
    header.writeDoubleLE(length, 1)
    return header
  }

  /** A connection, and a stranger at its other side that has said hello. */
  async function tampered(): Promise<[SocketConnection<any>, Socket]> {
    const listener = await peers.listen<any>({ maxMessageBytes: 1000 })
    const socket = await peers.stranger(listener.address)
    const hello = Buffer.alloc(64)
    hello.write('@mp/pipe')
    hello[8] = 1
    hello.write('C', 9)
    hello.writeBigUInt64BE(1000n, 12)
    hello.write('sha256', 20)
    socket.write(hello)
    return [peers.use(await listener.accept({ timeout: 10_000 })), socket]
  }

  test('what makes sense is received, however it is cut', async () => {
    const [connection, socket] = await tampered()
    const stream = Buffer.concat([
      Buffer.of(NOP),
      part(Buffer.of(1, 2)),
      Buffer.of(NOP),
      part(Buffer.of()),
      part(Buffer.of(3)),
      Buffer.of(COMMIT, NOP, NOP),
      part(Buffer.of(9)),
      Buffer.of(WITHDRAW),
      total(3),
      part(Buffer.of(4, 5)),
      Buffer.of(NOP),
      part(Buffer.of(6)),
      Buffer.of(COMMIT),
      total(0),
      Buffer.of(COMMIT),
      total(500),
      Buffer.of(WITHDRAW),
      part(Buffer.of()),
      Buffer.of(COMMIT),
    ])
    const expected = [[1, 2, 3], [4, 5, 6], [], []]
    for (const size of [1, 2, 3, 5, 7, 11, stream.length]) {
      const received = expected.map(() => connection.recvBytes(undefined, { timeout: 10_000 }))
      for (let at = 0; at < stream.length; at += size) {
        await new Promise((resolve) => socket.write(stream.subarray(at, at + size), resolve))
      }
      expect((await Promise.all(received)).map((bytes) => [...bytes])).toEqual(expected)
    }
  })

  test.each([
    ['an unknown frame', Buffer.of(6), 'ERR_MP_CORRUPT'],
    ['a zero', Buffer.of(0), 'ERR_MP_CORRUPT'],
    ['a commit of nothing', Buffer.of(COMMIT), 'ERR_MP_CORRUPT'],
    ['a withdrawal of nothing', Buffer.of(WITHDRAW), 'ERR_MP_CORRUPT'],
    ['a part that is too long', part(Buffer.of(), 2 ** 32 - 1), 'ERR_MP_CORRUPT'],
    ['a message that is too long', part(Buffer.of(), 1001), 'ERR_MP_MESSAGE_TOO_LARGE'],
    [
      'parts that are',
      Buffer.concat([part(Buffer.alloc(900)), part(Buffer.of(), 101)]),
      'ERR_MP_MESSAGE_TOO_LARGE',
    ],
    ['an announcement that is', total(1001), 'ERR_MP_MESSAGE_TOO_LARGE'],
    ['an impossible length', total(NaN), 'ERR_MP_CORRUPT'],
    ['a negative length', total(-1), 'ERR_MP_CORRUPT'],
    ['half a byte', total(0.5), 'ERR_MP_CORRUPT'],
    ['a message within another', Buffer.concat([part(Buffer.of(1)), total(1)]), 'ERR_MP_CORRUPT'],
    ['more than announced', Buffer.concat([total(1), part(Buffer.of(1, 2))]), 'ERR_MP_CORRUPT'],
    [
      'less than announced',
      Buffer.concat([total(2), part(Buffer.of(1)), Buffer.of(COMMIT)]),
      'ERR_MP_CORRUPT',
    ],
  ])('%s is an error, after what came before it, and closes the socket', async (_, bytes, code) => {
    const [connection, socket] = await tampered()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.resume()
    socket.write(Buffer.concat([part(Buffer.of(7)), Buffer.of(COMMIT), bytes]))
    expect([...(await connection.recvBytes())]).toEqual([7])
    await expect(connection.recv({ timeout: 10_000 })).rejects.toMatchObject({ code })
    expect(() => connection.recvSync()).toThrow(expect.objectContaining({ code }))
    expect(connection.pollSync()).toBe(true)
    await expect(connection.send(1)).rejects.toThrow(BrokenPipeError)
    await closed
  })

  test.each([
    ['header', total(5).subarray(0, 4)],
    ['part', part(Buffer.of(1, 2), 5)],
    ['message', part(Buffer.of(1, 2))],
    ['announcement', total(100)],
  ])('an end within a %s is told', async (_, bytes) => {
    const [connection, socket] = await tampered()
    socket.end(bytes)
    await expect(connection.recv({ timeout: 10_000 })).rejects.toThrow(TruncatedMessageError)
  })

  test('changed at random it gives messages or an error, and never hangs', async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
    let state = seed
    const random = (n: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % n
    }
    for (let round = 0; round < 100; round++) {
      const [connection, socket] = await tampered()
      const frames = Array.from({ length: 8 }, () => {
        const bytes = Buffer.alloc(random(200), round)
        return Buffer.concat([part(bytes), Buffer.of(random(8) === 0 ? WITHDRAW : COMMIT)])
      })
      const stream = Buffer.concat(frames)
      for (let i = 0; i < random(4); i++) stream[random(stream.length)] = random(256)
      socket.end(stream)
      for (;;) {
        const result = await connection.recv({ timeout: 10_000 }).catch((reason: unknown) => reason)
        const { code } = result as { code?: string }
        if (code === 'ERR_MP_UNPICKLING' || code === undefined) continue
        expect(code, `SEED=${seed}, round ${round}`).toMatch(
          /^ERR_MP_(EOF|TRUNCATED|CORRUPT|MESSAGE_TOO_LARGE)$/,
        )
        break
      }
      connection.close()
      socket.destroy()
    }
  })
})

function caught(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}
