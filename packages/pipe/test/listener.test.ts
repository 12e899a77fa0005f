/** Listener, Client and the connections that they give: what they do while all goes well. */
import {
  type Address,
  BufferTooShortError,
  Client,
  type ConnectionLike,
  type Connection,
  EOFError,
  BrokenPipeError,
  Listener,
  Pipe,
  SocketConnection,
  wait,
  waitSync,
} from '@mp/pipe'
import { PicklingError } from '@mp/pickle'
import { Process } from '@mp/process'
import { Queue } from '@mp/queue'
import { SharedMemory } from '@mp/shared-memory'
import { Lock } from '@mp/sync'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isBareRun } from 'mp-internal'
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest'
import { doubleOverSocket } from './fixtures/children.mjs'
import { ADDRESSES, Peers } from './socket-peers.js'

const peers = new Peers()
afterEach(() => peers.close())

const TIMED_OUT = { code: 'ERR_MP_TIMEOUT' }
const CLOSED = { code: 'ERR_MP_CLOSED' }
const WAIT = { timeout: 10_000 }

describe.each(ADDRESSES)('over %s', (_, address) => {
  const options = { address, authKey: 'key' }

  test('a client and a listener talk both ways', async () => {
    const listener = await peers.listen<string, number>(options)
    const client = peers.use(await Client<number, string>(listener.address, { authKey: 'key' }))
    const connection = peers.use(await listener.accept())
    expect(connection).toBeInstanceOf(SocketConnection)
    expect([client.readable, client.writable, client.closed]).toEqual([true, true, false])
    await client.send(1)
    expect(await connection.recv()).toBe(1)
    connection.sendSync('one')
    expect(client.recvSync()).toBe('one')
  })

  test.each(['double', 'doubleSync'])(
    'a process of another session answers: %s',
    async (scenario) => {
      const listener = await peers.listen<number>(options)
      const program = peers.start(scenario, listener.address)
      const connection = peers.use(await listener.accept({ timeout: 15_000 }))
      for (let i = 0; i < 200; i++) {
        if (i % 2 === 0) await connection.send(i, { timeout: 10_000 })
        else connection.sendSync(i, { timeout: 10_000 })
        const answer =
          i % 3 === 0
            ? connection.recvSync({ timeout: 10_000 })
            : await connection.recv({ timeout: 10_000 })
        expect(answer).toBe(2 * i)
      }
      connection.close()
      expect(await program.end()).toMatchObject({ code: 0, stderr: '' })
    },
  )

  test('what was sent before the close arrives, then the end of file', async () => {
    const [here, there] = await peers.pair(options)
    await here.send(1)
    here.sendSync(2)
    here.close()
    here.close()
    expect(here.closed).toBe(true)
    expect(await there.poll()).toBe(true)
    expect(await there.recv()).toBe(1)
    expect(there.recvSync()).toBe(2)
    expect(await there.poll({ timeout: 10_000 })).toBe(true)
    expect(there.pollSync({ timeout: 10_000 })).toBe(true)
    await expect(there.recv()).rejects.toThrow(EOFError)
    expect(() => there.recvSync()).toThrow(EOFError)
    await expect(there.send(1)).rejects.toThrow(BrokenPipeError)
    expect(() => there.sendSync(1)).toThrow(BrokenPipeError)
  })

  test('what was sent arrives although the other side has sent, too, and closes without reading', async () => {
    const [here, there] = await peers.pair(options)
    await there.send('unread')
    const big = new Uint8Array(100_000).fill(1)
    await here.sendBytes(big)
    await here.send('last')
    here.close()
    expect(Buffer.compare(await there.recvBytes(), big)).toBe(0)
    expect(await there.recv()).toBe('last')
    await expect(there.recv()).rejects.toThrow(EOFError)
  })

  test('a loop over a connection ends with the end of file', async () => {
    const [here, there] = await peers.pair(options)
    for (let i = 0; i < 10; i++) await here.send(i)
    here.close()
    const got = []
    for await (const value of there) got.push(value)
    expect(got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('the close of the other side wakes who waits', async () => {
    const [here, there] = await peers.pair(options)
    const received = there.recv()
    const polled = there.poll()
    here.close()
    await expect(received).rejects.toThrow(EOFError)
    expect(await polled).toBe(true)
  })

  test('closing here ends all waits here', async () => {
    const [here] = await peers.pair(options)
    const waits = [here.recv(), here.poll(), here.sendBytes(new Uint8Array(30_000_000))]
    here.close()
    for (const pending of waits) await expect(pending).rejects.toMatchObject(CLOSED)
    await expect(here.send(1)).rejects.toMatchObject(CLOSED)
    await expect(here.recv()).rejects.toMatchObject(CLOSED)
    expect(() => here.recvSync()).toThrow(expect.objectContaining(CLOSED))
    expect(() => here.pollSync()).toThrow(expect.objectContaining(CLOSED))
  })

  test('poll says whether something is there and takes nothing', async () => {
    const [here, there] = await peers.pair(options)
    expect(await there.poll({ timeout: 5 })).toBe(false)
    expect(there.pollSync({ timeout: 5 })).toBe(false)
    expect(await there.poll({ timeout: 0 })).toBe(false)
    const polled = there.poll()
    await here.send('x')
    expect(await polled).toBe(true)
    expect(there.pollSync()).toBe(true)
    expect(there.recvSync()).toBe('x')
  })

  test('who only polls, and gives the event loop no turn, gets what comes', async () => {
    const listener = await peers.listen(options)
    peers.start('sendAndDie', listener.address)
    const connection = peers.use(await listener.accept({ timeout: 15_000 }))
    const deadline = performance.now() + 10_000
    for (let i = 0; i < 1000; i++) {
      while (!connection.pollSync({ timeout: 0 }) && performance.now() < deadline);
      expect(connection.recvSync({ timeout: 0 })).toBe(i)
    }
    while (!connection.pollSync({ timeout: 0 }) && performance.now() < deadline);
    expect(() => connection.recvSync({ timeout: 0 })).toThrow(EOFError)
  })

  test('a receive that times out or is aborted takes nothing', async () => {
    const [here, there] = await peers.pair(options)
    await expect(there.recv({ timeout: 5 })).rejects.toMatchObject(TIMED_OUT)
    await expect(there.recv({ timeout: 0 })).rejects.toMatchObject(TIMED_OUT)
    expect(() => there.recvSync({ timeout: 5 })).toThrow(expect.objectContaining(TIMED_OUT))
    const abort = new AbortController()
    const received = there.recv({ signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(received).rejects.toThrow('enough')
    await expect(there.recv({ signal: abort.signal })).rejects.toThrow('enough')
    expect(() => there.recvSync({ signal: abort.signal })).toThrow('enough')
    await here.send('still here')
    expect(await there.recv()).toBe('still here')
  })

  test('those who wait are served in their order', async () => {
    const [here, there] = await peers.pair(options)
    const received = [there.recv(), there.recv(), there.recv()]
    for (const text of ['a', 'b', 'c']) await here.send(text)
    expect(await Promise.all(received)).toEqual(['a', 'b', 'c'])
  })

  test('messages that are sent without waiting arrive in their order', async () => {
    const [here, there] = await peers.pair(options)
    const values = Array.from({ length: 500 }, (_, i) => 'x'.repeat((i * 37) % 5000) + i)
    const sent = Promise.all(values.map((value) => here.send(value)))
    for (const value of values) expect(await there.recv({ timeout: 10_000 })).toBe(value)
    await sent
  })

  test('a receiver that is slow makes the sender wait', async () => {
    const [here, there] = await peers.pair(options)
    const block = new Uint8Array(20_000_000).map((_, i) => i)
    const sent = here.sendBytes(block)
    // The first message is not received by anybody, and is more than any buffer of the kernel holds.
    await expect(here.send('late', { timeout: 20 })).rejects.toMatchObject(TIMED_OUT)
    expect(Buffer.compare(await there.recvBytes(), block)).toBe(0)
    await sent
    await here.send('in time')
    expect(await there.recv()).toBe('in time')
  })

  test.each([
    ['times out', (send: any) => send({ timeout: 20 }), TIMED_OUT],
    ['does not wait', (send: any) => send({ timeout: 0 }), TIMED_OUT],
    [
      'is aborted',
      (send: any) => send({ signal: AbortSignal.timeout(20) }),
      { name: 'TimeoutError' },
    ],
  ])('a long message of which half is sent when it %s is never received', async (_, run, error) => {
    const [here, there] = await peers.pair(options)
    const block = new Uint8Array(20_000_000)
    const send = (wait: any): Promise<void> => here.sendBytes(block, 0, undefined, wait)
    await expect(run(send)).rejects.toMatchObject(error)
    await expect(run(send)).rejects.toMatchObject(error)
    const sent = here.send('after it')
    expect(await there.recv({ timeout: 10_000 })).toBe('after it')
    await sent
    there.sendSync('the other way')
    expect(here.recvSync({ timeout: 10_000 })).toBe('the other way')
  })

  test('a blocking send that times out half-way is never received', async () => {
    const [here, there] = await peers.pair(options)
    const block = new Uint8Array(20_000_000)
    for (let i = 0; i < 2; i++) {
      expect(() => here.sendBytesSync(block, 0, undefined, { timeout: 20 })).toThrow(
        expect.objectContaining(TIMED_OUT),
      )
    }
    const received = there.recv({ timeout: 10_000 })
    await here.send('after it', { timeout: 10_000 })
    expect(await received).toBe('after it')
    here.sendSync('and blocking')
    expect(there.recvSync({ timeout: 10_000 })).toBe('and blocking')
  })

  test('a blocking send while another is held up says so', async () => {
    const [here, there] = await peers.pair(options)
    const block = new Uint8Array(20_000_000)
    const sent = here.sendBytes(block)
    expect(() => here.sendSync(1)).toThrow(expect.objectContaining({ code: 'ERR_MP_BUSY' }))
    expect((await there.recvBytes()).byteLength).toBe(block.byteLength)
    await sent
    here.sendSync(2)
    expect(await there.recv()).toBe(2)
  })

  test('bytes pass as bytes, and a message too long is not lost', async () => {
    const [a, b] = await peers.pair(options)
    const bytes = Uint8Array.from([1, 2, 3, 4, 5])
    await a.sendBytes(bytes, 1, 3)
    expect(await b.recvBytes()).toEqual(Uint8Array.from([2, 3, 4]))
    a.sendBytesSync(bytes.buffer)
    const error = await b.recvBytes(4).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BufferTooShortError)
    expect((error as BufferTooShortError).bytes).toEqual(bytes)
    await a.sendBytes(bytes)
    const room = new Uint8Array(8)
    expect(await b.recvBytesInto(room, 2)).toBe(5)
    expect(room).toEqual(Uint8Array.from([0, 0, 1, 2, 3, 4, 5, 0]))
    a.sendBytesSync(bytes)
    expect(() => b.recvBytesIntoSync(new Uint8Array(4))).toThrow(BufferTooShortError)
    await a.sendBytes(new Uint8Array(0))
    expect(b.recvBytesSync()).toEqual(new Uint8Array(0))
    await expect(a.sendBytes('x' as never)).rejects.toThrow(/Expected `bytes`/)
    await expect(a.sendBytes(bytes, 6)).rejects.toThrow(/offset/)
    await expect(a.sendBytes(bytes, 1, 5)).rejects.toThrow(/size/)
  })

  test('what the sender changes afterwards is not seen', async () => {
    const [here, there] = await peers.pair(options)
    const block = new Uint8Array(5_000_000).fill(1)
    const sent = here.sendBytes(block)
    block.fill(2)
    const got = await there.recvBytes()
    await sent
    expect(got.every((byte) => byte === 1)).toBe(true)
  })

  test('wait gives those that are ready, with connections of a pipe among them', async () => {
    const [a, b] = await peers.pair(options)
    const [c, d] = Pipe<string>()
    const things = [b, d] as const
    expect(await wait(things, { timeout: 5 })).toEqual([])
    const waited = wait(things)
    await a.send(1)
    expect(await waited).toEqual([b])
    c.sendSync('x')
    expect(await wait(things)).toEqual([b, d])
    expect(await b.recv()).toBe(1)
    d.recvSync()
    const gone = wait(things)
    a.close()
    expect(await gone).toEqual([b])
    c.close()
    d.close()
  })

  test('waitSync gives those that are ready, and waits until one is', async () => {
    const [a, b] = await peers.pair(options)
    const [c, d] = Pipe<string>()
    const things = [b, d] as const
    expect(waitSync(things, { timeout: 0 })).toEqual([])
    const start = performance.now()
    expect(waitSync(things, { timeout: 20 })).toEqual([])
    expect(performance.now() - start).toBeGreaterThan(15)
    a.sendSync(1)
    expect(waitSync(things, { timeout: 10_000 })).toEqual([b])
    c.sendSync('x')
    expect(waitSync(things)).toEqual([b, d])
    // Nothing was eaten.
    expect([b.recvSync(), d.recvSync()]).toEqual([1, 'x'])
    expect(waitSync(things, { timeout: 0 })).toEqual([])
    a.close()
    // The end goes out in the event loop of who closes.
    await new Promise(setImmediate)
    expect(waitSync(things, { timeout: 10_000 })).toEqual([b])
    c.close()
    d.close()
  })

  test('wait and waitSync hear of what another process sends, and of its death', async () => {
    const listener = await peers.listen<number>(options)
    const program = peers.start('double', listener.address)
    const connection = peers.use(await listener.accept({ timeout: 15_000 }))
    const [c, d] = Pipe<string>()
    for (const n of [1, 2]) {
      connection.sendSync(n)
      const ready = n === 1 ? await wait([d, connection], WAIT) : waitSync([d, connection], WAIT)
      expect(ready).toEqual([connection])
      expect(connection.recvSync()).toBe(2 * n)
    }
    program.child.kill('SIGKILL')
    expect(waitSync([d, connection], WAIT)).toEqual([connection])
    expect(await wait([d, connection], WAIT)).toEqual([connection])
    c.close()
    d.close()
  })

  test('a wait that is aborted or closed leaves what comes to others', async () => {
    const [a, b] = await peers.pair(options)
    const abort = new AbortController()
    const waited = wait([b], { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(waited).rejects.toThrow('enough')
    const received = b.recv(WAIT)
    await a.send(1)
    expect(await received).toBe(1)
    const gone = wait([b], WAIT)
    b.close()
    expect(await gone).toEqual([b])
    await expect(wait([b])).rejects.toMatchObject({ code: 'ERR_MP_CLOSED' })
  })

  test('an accept that times out or is aborted loses nobody', async () => {
    const listener = await peers.listen(options)
    await expect(listener.accept({ timeout: 5 })).rejects.toMatchObject(TIMED_OUT)
    await expect(listener.accept({ timeout: 0 })).rejects.toMatchObject(TIMED_OUT)
    const abort = new AbortController()
    const accepted = listener.accept({ signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(accepted).rejects.toThrow('enough')
    peers.use(await Client(listener.address, { authKey: 'key' }))
    peers.use(await listener.accept({ timeout: 10_000 }))
  })

  test('many clients at once are all accepted', async () => {
    const listener = await peers.listen<number>({ ...options, backlog: 200 })
    const clients = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const client = peers.use(await Client<number>(listener.address, { authKey: 'key' }))
        await client.send(i)
        return client
      }),
    )
    const seen = new Set<number>()
    for (const _ of clients) {
      const connection = peers.use(await listener.accept({ timeout: 10_000 }))
      const n = await connection.recv({ timeout: 10_000 })
      seen.add(n)
      await connection.send(-n)
    }
    expect(seen.size).toBe(100)
    for (const [i, client] of clients.entries()) expect(await client.recv()).toBe(-i)
  })

  test('more clients than may wait are turned away', async () => {
    const refused: unknown[] = []
    const listener = await peers.listen({
      ...options,
      backlog: 2,
      onRefused: (reason) => refused.push(reason),
    })
    const clients = []
    for (let i = 0; i < 3; i++) {
      clients.push(peers.use(await Client(listener.address, { authKey: 'key' })))
    }
    await expect(clients[2]?.recv({ timeout: 10_000 })).rejects.toThrow(EOFError)
    expect(refused).toEqual([expect.objectContaining({ code: 'ERR_MP_BACKLOG' })])
    for (const client of clients.slice(0, 2)) {
      const connection = peers.use(await listener.accept({ timeout: 10_000 }))
      await connection.send('in')
      expect(await client.recv()).toBe('in')
    }
  })

  test('closing the listener ends accept, and leaves accepted connections alone', async () => {
    const listener = await peers.listen(options)
    const client = peers.use(await Client(listener.address, { authKey: 'key' }))
    const connection = peers.use(await listener.accept())
    peers.use(await Client(listener.address, { authKey: 'key' }))
    const accepted = (async () => {
      const all = []
      for await (const other of listener) all.push(peers.use(other))
      return all.length
    })()
    listener.close()
    listener.close()
    expect(listener.closed).toBe(true)
    expect(await accepted).toBe(1)
    await expect(listener.accept()).rejects.toMatchObject(CLOSED)
    await connection.send('alive')
    expect(await client.recv()).toBe('alive')
    await expect(Client(listener.address, { authKey: 'key', timeout: 5000 })).rejects.toMatchObject(
      {
        code: address === undefined ? 'ENOENT' : 'ECONNREFUSED',
      },
    )
  })

  test('who was not accepted reads the end of file when the listener closes', async () => {
    const listener = await peers.listen(options)
    const client = peers.use(await Client(listener.address, { authKey: 'key' }))
    // It has been let in by now: its own side knows.
    const received = client.recv({ timeout: 10_000 })
    listener.close()
    await expect(received).rejects.toThrow(EOFError)
  })

  test('a message larger than the other side takes is refused by the sender, and harms nothing', async () => {
    const [here, there] = await peers.pair({ ...options, maxMessageBytes: 1000 })
    const error = { code: 'ERR_MP_MESSAGE_TOO_LARGE', message: /1001 bytes .* 1000 bytes/ }
    await expect(here.sendBytes(new Uint8Array(1001))).rejects.toMatchObject({ code: error.code })
    expect(() => here.sendBytesSync(new Uint8Array(1001))).toThrow(error.message)
    await here.sendBytes(new Uint8Array(1000))
    expect((await there.recvBytes()).byteLength).toBe(1000)
  })

  test('with a key, functions and classes travel', async () => {
    const [here, there] = await peers.pair(options)
    const factor = 3
    await here.send({ triple: (n: number) => n * factor })
    const { triple } = await there.recv()
    expect(triple(2)).toBe(6)
  })

  test.each([
    ['a lock', () => new Lock()],
    ['a queue', () => new Queue()],
    ['a connection', () => peers.use(Pipe()[0])],
  ])('%s cannot go to another session, and the error names its path', async (_, make) => {
    const [here, there] = await peers.pair(options)
    const handle = make()
    const error = await here.send({ list: [{ handle }] }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(PicklingError)
    expect(error).toMatchObject({ path: 'list[0].handle' })
    expect(String(error)).toMatch(/only processes of one tree share/)
    expect(() => here.sendSync(handle)).toThrow(PicklingError)
    await here.send('fine')
    expect(await there.recv()).toBe('fine')
  })

  test.skipIf(isBareRun)('a named block of memory can go, as its name', async () => {
    const [here, there] = await peers.pair(options)
    const block = peers.use(new SharedMemory({ create: true, size: 16 }))
    new Uint8Array(block.buffer)[3] = 7
    await here.send({ block })
    const { block: same } = await there.recv()
    expect(new Uint8Array(same.buffer)[3]).toBe(7)
    block.unlink()
  })
})

describe('addresses', () => {
  test('left out, it is a socket in a folder that only this user can enter, gone with the listener', async () => {
    const listener = await peers.listen()
    const path = listener.address as string
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    expect(statSync(path).isSocket()).toBe(true)
    peers.use(await Client(path))
    peers.use(await listener.accept())
    expect(listener.lastAccepted).toBe(null)
    listener.close()
    expect(existsSync(dirname(path))).toBe(false)
  })

  test('a path that is given is used, removed on close, and not taken from others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'own-'))
    const address = join(folder, 'a')
    const listener = await peers.listen({ address })
    expect(listener.address).toBe(address)
    await expect(Listener.listen({ address })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    peers.use(await Client(address))
    peers.use(await listener.accept())
    listener.close()
    expect(existsSync(address)).toBe(false)
    writeFileSync(address, '')
    await expect(Listener.listen({ address })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    rmSync(folder, { recursive: true })
  })

  test('a port is bound on this machine only, and the real one is told', async () => {
    const listener = await peers.listen({ address: { port: 0 } })
    const { host, port } = listener.address as { host: string; port: number }
    expect(host).toBe('127.0.0.1')
    expect(port).toBeGreaterThan(0)
    await expect(Listener.listen({ address: { port } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    peers.use(await Client({ host: 'localhost', port }))
    peers.use(await listener.accept())
    expect(listener.lastAccepted).toMatchObject({ host: '127.0.0.1', port: expect.any(Number) })
  })

  test('where nobody listens, Client says so', async () => {
    await expect(Client('/nowhere/at/all')).rejects.toMatchObject({ code: 'ENOENT' })
    const listener = await peers.listen({ address: { port: 0 } })
    listener.close()
    await expect(Client(listener.address)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('wrong arguments are named', async () => {
    const wrong: [unknown, RegExp][] = [
      [{ address: '' }, /`address`/],
      [{ address: `/${'x'.repeat(107)}` }, /`address` .* 107 bytes/],
      [{ address: '/a\0b' }, /`address`/],
      [{ address: 5 }, /`address`/],
      [{ address: { port: -1 } }, /`port`/],
      [{ address: { port: 65_536 } }, /`port`/],
      [{ address: { port: 1, host: 5 } }, /`host`/],
      [{ authKey: 5 }, /`authKey`/],
      [{ authKey: '' }, /`authKey`/],
      [{ authKey: new Uint8Array(0) }, /`authKey`/],
      [{ backlog: 0 }, /`backlog`/],
      [{ handshakeTimeout: 0 }, /`handshakeTimeout`/],
      [{ maxMessageBytes: 0 }, /`maxMessageBytes`/],
      [{ onRefused: 1 }, /`onRefused`/],
      [null, /`options`/],
    ]
    for (const [options, message] of wrong) {
      await expect(Listener.listen(options as never)).rejects.toThrow(message)
    }
    await expect(Client({ port: 0 })).rejects.toThrow(/`port`/)
    await expect(Client('/x', { authKey: 5 as never })).rejects.toThrow(/`authKey`/)
    await expect(Client('/x', { timeout: 'x' as never })).rejects.toThrow(/`timeout`/)
    await expect(Client('/x', null as never)).rejects.toThrow(/`options`/)
  })
})

test('a connection that is forgotten is closed', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const listener = await peers.listen({ authKey: 'key' })
  const client = peers.use(await Client(listener.address, { authKey: 'key' }))
  await (async () => {
    const forgotten = await listener.accept()
    await forgotten.send('last words')
  })()
  expect(await client.recv()).toBe('last words')
  const deadline = performance.now() + 15_000
  while (!(await client.poll({ timeout: 20 })) && performance.now() < deadline) collect()
  await expect(client.recv({ timeout: 0 })).rejects.toThrow(EOFError)
})

test('threads have listeners and connections of their own', async () => {
  const listener = await peers.listen<number>({ authKey: 'key' })
  const thread = new Process({
    target: doubleOverSocket,
    args: [listener.address as string],
    startMethod: 'thread',
  }).start()
  const connection = peers.use(await listener.accept({ timeout: 15_000 }))
  await connection.send(21)
  expect(await connection.recv({ timeout: 10_000 })).toBe(42)
  // It blocks, and can be ended all the same.
  thread.terminate()
  await thread.join({ timeout: 10_000 })
  expect(thread.isAlive()).toBe(false)
  await expect(connection.recv({ timeout: 10_000 })).rejects.toThrow(EOFError)
})

test('a gigabyte passes in one message', async () => {
  const listener = await peers.listen({ authKey: 'key' })
  const program = peers.start('sendGigabyte', listener.address)
  const connection = peers.use(await listener.accept({ timeout: 15_000 }))
  // On a busy machine each turn of an event loop has to wait for its own; the next test is about those.
  const got = connection.recvBytesSync()
  expect(got.byteLength).toBe(2 ** 30)
  for (let i = 0; i < got.byteLength; i += 2 ** 20) {
    if (got[i] !== (i >> 20) % 251) expect.fail(`byte ${i} is ${got[i]}`)
  }
  expect(await connection.recv()).toBe('and something small')
  expect(await program.end()).toMatchObject({ code: 0, stderr: '' })
})

test('a message grows with what has come when a stranger announces it', async () => {
  const [here, there] = await peers.pair({ maxMessageBytes: 2 ** 28 })
  const block = new Uint8Array(150_000_000)
  for (let i = 0; i < block.length; i += 4096) block[i] = i >> 12
  const sent = here.sendBytes(block)
  expect(Buffer.compare(await there.recvBytes(), block)).toBe(0)
  await sent
})

test('the types of both sides are told', async () => {
  const listener = await peers.listen<string, number>()
  const client = peers.use(await Client<number, string>(listener.address))
  const connection = peers.use(await listener.accept())
  expectTypeOf(connection.recv).returns.resolves.toEqualTypeOf<number>()
  expectTypeOf(client.recv).returns.resolves.toEqualTypeOf<string>()
  expectTypeOf(client.send).parameter(0).toEqualTypeOf<number>()
  expectTypeOf(listener.address).toEqualTypeOf<Address>()
  const untyped = peers.use(await Client(listener.address))
  expectTypeOf(untyped.recv).returns.resolves.toEqualTypeOf<unknown>()
  // What works on one kind of connection works on the other.
  const ask = async (any: ConnectionLike<number, string>): Promise<string> => any.recv()
  expectTypeOf(ask).toBeCallableWith(client)
  expectTypeOf(ask).toBeCallableWith({} as Connection<number, string>)
})
