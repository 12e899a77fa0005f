/**
 * What the documentation of Python's `multiprocessing` promises of connections, `poll` and `wait`.
 *
 * Written from docs.python.org/3/library/multiprocessing.html; each title is one such behaviour.
 */
import {
  BrokenPipeError,
  BufferTooShortError,
  type Connection,
  EOFError,
  Pipe,
  wait,
} from '@mp/pipe'
import type { StartMethod } from '@mp/process'
import { Queue } from '@mp/queue'
import { isBareRun, ways } from 'mp-internal'
import { afterEach, describe, expect, test } from 'vitest'
import * as children from './fixtures/python.mjs'
import { start } from '../../queue/test/start.js'

const LIMIT = { timeout: 10_000 }
const closers: (() => unknown)[] = []

function pipe(options?: { duplex?: boolean }): [Connection, Connection] {
  const ends = Pipe<unknown, unknown>(options)
  closers.push(() => ends.forEach((end) => end.close()))
  return ends
}

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

const code = (name: string): unknown => expect.objectContaining({ code: name })

describe('in one process', () => {
  test('a receive or poll waits as long as the timeout says, and 0 or less is not at all', async () => {
    const [a] = pipe()
    const took = async (run: () => unknown): Promise<number> => {
      const begun = performance.now()
      try {
        expect(await run()).toBe(false)
      } catch (error) {
        expect(error).toMatchObject({ name: 'TimeoutError', code: 'ERR_MP_TIMEOUT' })
      }
      return performance.now() - begun
    }
    for (const timed of [
      () => a.poll({ timeout: 60 }),
      () => a.pollSync({ timeout: 60 }),
      () => a.recv({ timeout: 60 }),
      () => a.recvSync({ timeout: 60 }),
      () => a.recvBytes(undefined, { timeout: 60 }),
      () => a.recvBytesIntoSync(new Uint8Array(1), 0, { timeout: 60 }),
    ]) {
      expect(await took(timed)).toBeGreaterThan(55)
    }
    for (const timeout of [0, -1]) {
      expect(await took(() => a.poll({ timeout }))).toBeLessThan(2_000)
      expect(await took(() => a.pollSync({ timeout }))).toBeLessThan(2_000)
      expect(await took(() => a.recvSync({ timeout }))).toBeLessThan(2_000)
    }
  })

  test('bytes go whole or from an offset, of a size, and wrong ones are refused', async () => {
    const [a, b] = pipe()
    const bytes = Uint8Array.from({ length: 26 }, (_, n) => 97 + n)
    const text = async (): Promise<string> => Buffer.from(await b.recvBytes()).toString()
    await a.sendBytes(bytes)
    expect(await text()).toBe('abcdefghijklmnopqrstuvwxyz')
    await a.sendBytes(bytes, 5)
    expect(await text()).toBe('fghijklmnopqrstuvwxyz')
    a.sendBytesSync(bytes, 7, 8)
    expect(await text()).toBe('hijklmno')
    for (const [offset, size] of [
      [26, undefined],
      [26, 0],
      [0, 0],
    ] as const) {
      a.sendBytesSync(bytes, offset, size)
      expect(await text()).toBe('')
    }
    for (const [offset, size] of [
      [27, undefined],
      [22, 5],
      [26, 1],
      [-1, undefined],
      [4, -1],
      [0.5, undefined],
    ] as const) {
      await expect(a.sendBytes(bytes, offset, size)).rejects.toThrow(RangeError)
      expect(() => a.sendBytesSync(bytes, offset, size)).toThrow(RangeError)
    }
    expect(await b.poll({ timeout: 0 })).toBe(false)
    // A view of words is its bytes; what is sent is as it was at the call.
    const words = Uint32Array.of(1, 2)
    const sent = a.sendBytes(words, 4)
    words[1] = 3
    await sent
    expect(await b.recvBytes()).toEqual(new Uint8Array(Uint32Array.of(2).buffer))
  })

  test('a message too long for maxLength or the buffer is in the error, and the rest goes on', async () => {
    const [a, b] = pipe()
    for (let n = 0; n < 3; n++) a.sendBytesSync(Uint8Array.of(n, n, n, n))
    expect(() => b.recvBytesSync(3)).toThrow(BufferTooShortError)
    const error = await b.recvBytesInto(new Uint16Array(3), 3).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'ERR_MP_BUFFER_TOO_SHORT',
      bytes: Uint8Array.of(1, 1, 1, 1),
    })
    const room = new Uint16Array(4)
    expect(b.recvBytesIntoSync(room, 4)).toBe(4)
    expect([...room]).toEqual([0, 0, 0x0202, 0x0202])
    await expect(b.recvBytes(-1)).rejects.toThrow(RangeError)
    await expect(b.recvBytesInto(room, 9)).rejects.toThrow(RangeError)
    expect(() => b.recvBytesIntoSync([] as never)).toThrow(TypeError)
  })

  test('a connection says what it can do, and a closed one does nothing', async () => {
    const [receiver, sender] = pipe({ duplex: false })
    expect(() => receiver.sendSync(1)).toThrow(code('ERR_MP_NOT_WRITABLE'))
    expect(() => receiver.sendBytesSync(new Uint8Array(1))).toThrow(code('ERR_MP_NOT_WRITABLE'))
    expect(() => sender.recvSync()).toThrow(code('ERR_MP_NOT_READABLE'))
    expect(() => sender.pollSync()).toThrow(code('ERR_MP_NOT_READABLE'))
    {
      using here = receiver
      expect([here.closed, here.readable, here.writable]).toEqual([false, true, false])
    }
    expect(receiver.closed).toBe(true)
    for (const use of [
      () => receiver.recv(),
      () => receiver.recvBytes(),
      () => receiver.poll(),
      () => receiver.send(1),
    ]) {
      await expect(use()).rejects.toMatchObject({ code: 'ERR_MP_CLOSED' })
    }
    await expect(sender.sendBytes(new Uint8Array(1))).rejects.toThrow(BrokenPipeError)
    expect(() => Pipe({ duplex: 1 as never })).toThrow(/duplex/)
    expect(() => Pipe(1 as never)).toThrow(/options/)
  })

  test('poll tells of what is there as often as it is asked, and of the end for ever', async () => {
    const [a, b] = pipe()
    b.sendSync(null)
    for (let n = 0; n < 3; n++) expect(await a.poll()).toBe(true)
    expect(a.recvSync()).toBeNull()
    expect(a.pollSync({ timeout: 0 })).toBe(false)
    b.close()
    for (let n = 0; n < 3; n++) expect(a.pollSync()).toBe(true)
    for (let n = 0; n < 3; n++) expect(() => a.recvSync()).toThrow(EOFError)
    expect(() => a.recvBytesSync()).toThrow(EOFError)
    for await (const value of a) throw new Error(`got ${String(value)}`)
  })

  test('an empty message is a message', async () => {
    const [a, b] = pipe()
    a.sendBytesSync(new Uint8Array(0))
    a.sendSync('')
    expect((await b.recvBytes()).byteLength).toBe(0)
    expect(b.recvSync()).toBe('')
  })

  test('a send that is aborted while the pipe is full sends nothing', async () => {
    const [a, b] = pipe()
    const block = new Uint8Array(10_000_000)
    a.sendBytesSync(block)
    const abort = new AbortController()
    const aborted = a.sendBytes(block, 0, undefined, { signal: abort.signal })
    const next = a.send('next')
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    expect((await b.recvBytes()).byteLength).toBe(block.byteLength)
    await next
    expect(await b.recv()).toBe('next')
    expect(b.pollSync({ timeout: 0 })).toBe(false)
  })
})

describe.each(ways<StartMethod>('spawn', 'thread'))('with a child (%s)', (method) => {
  test('everything comes back as it went, up to a message of 20 MB', async () => {
    const [here, there] = pipe()
    const child = start(method, children.echo, there)
    there.close()
    const big = new Uint8Array(20_000_000).fill(7)
    const messages: unknown[] = [
      1,
      2.75,
      'x'.repeat(70_000),
      null,
      undefined,
      [[], {}],
      { nested: new Map([[1, new Date(0)]]) },
      Float64Array.of(1, 2, 3),
    ]
    for (const message of messages) {
      here.sendSync(message)
      expect(here.recvSync(LIMIT)).toEqual(message)
    }
    const sent = here.send(big)
    expect(Buffer.compare((await here.recv(LIMIT)) as Uint8Array, big)).toBe(0)
    await sent
    here.close()
    expect(await child.join(LIMIT)).toBe(0)
  })

  test('what was sent before the parent lets go of its copy of an end is not lost', async () => {
    const [here, there] = pipe()
    start(method, children.greetAndLeave, there)
    there.close()
    expect(await here.recv(LIMIT)).toBe('hello')
    await expect(here.recv(LIMIT)).rejects.toThrow(EOFError)
  })

  test('an end that a child holds still is open, though its parent has closed its own', async () => {
    const [here, there] = pipe()
    const [go, done] = [new Queue(), new Queue()]
    start(method, children.holdUntil, there, go, done)
    there.close()
    expect(await done.get(LIMIT)).toBe('holds')
    expect(here.pollSync({ timeout: 20 })).toBe(false)
    here.sendSync('still open')
    go.putSync('go')
    expect(await done.get(LIMIT)).toBe('still open')
    await expect(here.recv(LIMIT)).rejects.toThrow(EOFError)
  })

  test('wait gives each message of several writers, then each end of file', async () => {
    const readers: Connection[] = []
    for (let n = 0; n < 3; n++) {
      const [reader, writer] = pipe({ duplex: false })
      start(method, children.writeNumbers, writer, n, 10)
      writer.close()
      readers.push(reader)
    }
    const messages: [number, number][] = []
    const left = new Set(readers)
    while (left.size > 0) {
      const ready = await wait(left, LIMIT)
      expect(ready.length).toBeGreaterThan(0)
      for (const reader of ready) {
        try {
          messages.push(reader.recvSync({ timeout: 0 }) as [number, number])
        } catch (error) {
          expect(error).toBeInstanceOf(EOFError)
          left.delete(reader)
        }
      }
    }
    for (let n = 0; n < 3; n++) {
      const own = messages.filter(([writer]) => writer === n).map(([, index]) => index)
      expect(own).toEqual(Array.from({ length: 10 }, (_, index) => index))
    }
  })

  test('several readers of one end share its messages, each of which comes once', async () => {
    const [reader, writer] = pipe({ duplex: false })
    const results = new Queue<number[]>()
    const count = 300
    for (let n = 0; n < 2; n++) start(method, children.readAll, reader, results)
    start(method, children.writeNumbers, writer, 0, count)
    writer.close()
    const own = []
    for await (const [, index] of reader as AsyncIterable<[number, number]>) own.push(index)
    const all = [...own, ...(await results.get(LIMIT)), ...(await results.get(LIMIT))]
    all.sort((a, b) => a - b)
    expect(all).toEqual(Array.from({ length: count }, (_, index) => index))
  })
})

test.skipIf(isBareRun)('a blocked poll or receive goes on after a signal', async () => {
  const [here, there] = pipe()
  const ready = new Queue<string>()
  const child = start('spawn', children.receiveDespiteSignals, there, ready)
  there.close()
  for (const what of ['poll', 'recv']) {
    expect(await ready.get(LIMIT)).toBe(what)
    for (let n = 0; n < 3; n++) process.kill(child.pid as number, 'SIGUSR2')
    here.sendSync(what)
  }
  expect(await here.recv(LIMIT)).toEqual(['poll', 'recv'])
  expect(await child.join(LIMIT)).toBe(0)
})

test('a blocked sender goes on when the reader dies', async () => {
  const [reader, writer] = pipe({ duplex: false })
  const child = start('spawn', children.hang, reader)
  reader.close()
  const block = new Uint8Array(10_000_000)
  writer.sendBytesSync(block)
  const sent = writer.sendBytes(block)
  child.kill()
  await expect(sent).rejects.toThrow(BrokenPipeError)
  expect(() => writer.sendSync(1)).toThrow(BrokenPipeError)
})
