import { fstatSync } from 'node:fs'
import { BrokenPipeError, BufferTooShortError, EOFError, Pipe, wait } from '@mp/pipe'
import type { StartMethod } from '@mp/process'
import { PicklingError } from '@mp/pickle'
import { session } from '@mp/shared-memory/internal'
import { isBareRun, ways } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import * as children from './fixtures/children.mjs'
import { start } from '../../queue/test/start.js'

describe('in one process', () => {
  test('both ends send and receive', async () => {
    const [a, b] = Pipe<string, number>()
    await a.send('one')
    b.sendSync(1)
    expect(await b.recv()).toBe('one')
    expect(a.recvSync()).toBe(1)
    a.close()
    b.close()
  })

  test('a one-way pipe has a receiver and a sender', async () => {
    const [receiver, sender] = Pipe({ duplex: false })
    expect([receiver.readable, receiver.writable]).toEqual([true, false])
    expect([sender.readable, sender.writable]).toEqual([false, true])
    await sender.send({ a: 1 })
    expect(await receiver.recv()).toEqual({ a: 1 })
    await expect(receiver.send(1)).rejects.toMatchObject({ code: 'ERR_MP_NOT_WRITABLE' })
    await expect(sender.recv()).rejects.toMatchObject({ code: 'ERR_MP_NOT_READABLE' })
    receiver.close()
    sender.close()
  })

  test('what was sent before the close arrives, then the end of file', async () => {
    const [a, b] = Pipe<number>()
    a.sendSync(1)
    a.sendSync(2)
    a.close()
    a.close()
    expect(a.closed).toBe(true)
    expect(await b.poll({ timeout: 0 })).toBe(true)
    expect(await b.recv()).toBe(1)
    expect(b.recvSync()).toBe(2)
    expect(b.pollSync({ timeout: 0 })).toBe(true)
    await expect(b.recv()).rejects.toThrow(EOFError)
    expect(() => b.recvSync()).toThrow(EOFError)
    await expect(b.send(1)).rejects.toThrow(BrokenPipeError)
    expect(() => b.sendSync(1)).toThrow(BrokenPipeError)
    b.close()
  })

  test('the close of the other end wakes who waits', async () => {
    const [a, b] = Pipe()
    const received = b.recv()
    a.close()
    await expect(received).rejects.toThrow(EOFError)
    b.close()
  })

  test('closing here ends a wait here', async () => {
    const [a, b] = Pipe()
    const received = b.recv()
    b.close()
    await expect(received).rejects.toMatchObject({ code: 'ERR_MP_CLOSED' })
    await expect(b.send(1)).rejects.toMatchObject({ code: 'ERR_MP_CLOSED' })
    a.close()
  })

  test('poll says whether something is there and takes nothing', async () => {
    const [a, b] = Pipe<string>()
    expect(await b.poll({ timeout: 5 })).toBe(false)
    expect(b.pollSync({ timeout: 5 })).toBe(false)
    const polled = b.poll()
    a.sendSync('x')
    expect(await polled).toBe(true)
    expect(b.pollSync()).toBe(true)
    expect(b.recvSync()).toBe('x')
    a.close()
    b.close()
  })

  test('a receive that times out or is aborted takes nothing', async () => {
    const [a, b] = Pipe<string>()
    await expect(b.recv({ timeout: 5 })).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
    expect(() => b.recvSync({ timeout: 5 })).toThrow(
      expect.objectContaining({ code: 'ERR_MP_TIMEOUT' }),
    )
    const abort = new AbortController()
    const received = b.recv({ signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(received).rejects.toThrow('enough')
    a.sendSync('still here')
    expect(b.recvSync()).toBe('still here')
    a.close()
    b.close()
  })

  test('a full pipe lets the sender wait', async () => {
    const [a, b] = Pipe<Uint8Array>()
    const block = new Uint8Array(10_000_000)
    await a.send(block)
    await expect(a.send(block, { timeout: 5 })).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
    const sent = a.send(block)
    expect((await b.recv()).byteLength).toBe(block.byteLength)
    await sent
    expect((await b.recv()).byteLength).toBe(block.byteLength)
    // Larger than the pipe's capacity: alone, it passes.
    await a.send(new Uint8Array(40_000_000))
    expect((await b.recv()).byteLength).toBe(40_000_000)
    a.close()
    b.close()
  })

  test('bytes pass as bytes, and a message too long is not lost', async () => {
    const [a, b] = Pipe()
    const bytes = Uint8Array.from([1, 2, 3, 4, 5])
    await a.sendBytes(bytes, 1, 3)
    expect(await b.recvBytes()).toEqual(Uint8Array.from([2, 3, 4]))
    a.sendBytesSync(bytes.buffer)
    const error = await b.recvBytes(4).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BufferTooShortError)
    expect((error as BufferTooShortError).bytes).toEqual(bytes)
    a.sendBytesSync(bytes)
    const room = new Uint8Array(8)
    expect(await b.recvBytesInto(room, 2)).toBe(5)
    expect(room).toEqual(Uint8Array.from([0, 0, 1, 2, 3, 4, 5, 0]))
    a.sendBytesSync(bytes)
    expect(() => b.recvBytesIntoSync(new Uint8Array(4))).toThrow(BufferTooShortError)
    await expect(a.sendBytes('x' as never)).rejects.toThrow(/Expected `bytes`/)
    await expect(a.sendBytes(bytes, 6)).rejects.toThrow(/offset/)
    await expect(a.sendBytes(bytes, 1, 5)).rejects.toThrow(/size/)
    a.close()
    b.close()
  })

  test('what cannot be sent throws at the call', async () => {
    const [a, b] = Pipe()
    await expect(a.send({ x: Promise.resolve() })).rejects.toThrow(PicklingError)
    expect(await b.poll({ timeout: 0 })).toBe(false)
    a.close()
    b.close()
  })

  test('wait gives those that are ready', async () => {
    const [a, b] = Pipe<number>()
    const [c, d] = Pipe<number>()
    expect(await wait([])).toEqual([])
    expect(await wait([b, d], { timeout: 5 })).toEqual([])
    const waited = wait([b, d])
    c.sendSync(1)
    expect(await waited).toEqual([d])
    a.sendSync(1)
    expect(await wait([b, d])).toEqual([b, d])
    const abort = new AbortController()
    b.recvSync()
    const aborted = wait([b], { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    await expect(wait([{}])).rejects.toThrow(/Expected `things`/)
    for (const connection of [a, b, c, d]) connection.close()
  })
})

test.skipIf(isBareRun)(
  'what a stream of large messages frees is used again, whoever frees it',
  async () => {
    const [here, there] = Pipe<unknown, number>()
    start('spawn', children.receiveMany, there, 200)
    const before = sharedBytes()
    const message = new Uint8Array(1024 * 1024)
    for (let i = 0; i < 200; i++) here.sendBytesSync(message)
    expect(await here.recv()).toBe(200 * message.byteLength)
    // A pipe holds 16 MiB; who takes pages while others free them may look beyond those.
    expect(sharedBytes() - before).toBeLessThan(64 * 1024 * 1024)
  },
)

/** What of the session's memory has been touched. */
function sharedBytes(): number {
  return fstatSync(session().native.fd()).blocks * 512
}

describe.each(ways<StartMethod>('spawn', 'thread'))('with %s', (method) => {
  test.each([
    ['promises', children.double],
    ['blocking', children.doubleSync],
  ])('a child with %s answers until the end of file', async (_, target) => {
    const [here, there] = Pipe<number, number>()
    const child = start(method, target, there)
    there.close()
    for (let i = 0; i < 200; i++) {
      here.sendSync(i)
      expect(
        i % 2 === 0 ? here.recvSync({ timeout: 10_000 }) : await here.recv({ timeout: 10_000 }),
      ).toBe(2 * i)
    }
    here.close()
    expect(await child.join({ timeout: 10_000 })).toBe(0)
  })

  test('a connection travels inside a message', async () => {
    const [here, there] = Pipe<unknown, never>()
    const [reply, answer] = Pipe<never, string>()
    start(method, children.answerThrough, there)
    there.close()
    await here.send({ reply: answer })
    answer.close()
    expect(await reply.recv({ timeout: 10_000 })).toBe('through another pipe')
    await expect(reply.recv({ timeout: 10_000 })).rejects.toThrow(EOFError)
    here.close()
    reply.close()
  })

  test('everything sent arrives before the end of file', async () => {
    const [receiver, sender] = Pipe<number, number>({ duplex: false })
    const values = Array.from({ length: 300 }, (_, i) => i)
    start(method, children.sendAndClose, sender, values)
    sender.close()
    const got = []
    for await (const value of receiver) got.push(value)
    expect(got).toEqual(values)
    receiver.close()
  })

  test('wait notices a connection and the end of a process', async () => {
    const [here, there] = Pipe<number, number>()
    const child = start(method, children.double, there)
    there.close()
    here.sendSync(4)
    expect(await wait([here, child], { timeout: 10_000 })).toEqual([here])
    expect(here.recvSync()).toBe(8)
    here.close()
    expect(await wait([child], { timeout: 10_000 })).toEqual([child])
  })
})

test('the death of the only holder is the end of file', async () => {
  const [here, there] = Pipe<never, string>()
  const child = start('spawn', children.sendAndHang, there, 'last words')
  there.close()
  expect(await here.recv({ timeout: 10_000 })).toBe('last words')
  const received = here.recv({ timeout: 10_000 })
  child.kill()
  await expect(received).rejects.toThrow(EOFError)
  expect(() => here.recvSync({ timeout: 1000 })).toThrow(EOFError)
  here.close()
})

test('who only polls, and gives the event loop no turn, sees the end of file all the same', async () => {
  const [here, there] = Pipe<never, string>()
  const child = start('spawn', children.sendAndHang, there, 'last words')
  there.close()
  expect(await here.recv({ timeout: 10_000 })).toBe('last words')
  child.kill()
  const deadline = performance.now() + 10_000
  while (!here.pollSync({ timeout: 0 }) && performance.now() < deadline);
  expect(() => here.recvSync({ timeout: 0 })).toThrow(EOFError)
  here.close()
})

test('an end whose carrier dies before it has arrived is not held for ever', async () => {
  const [here, there] = Pipe<never, string>()
  const child = start('spawn', children.sendAndHang, there, 'never said')
  there.close()
  child.kill()
  await child.join()
  await expect(here.recv({ timeout: 10_000 })).rejects.toThrow(EOFError)
  here.close()
})
