import {
  BrokenPipeError,
  BufferTooShortError,
  type BytesLease,
  EOFError,
  type Lease,
  Pipe,
} from '@mp/pipe'
import type { StartMethod } from '@mp/process'
import { session } from '@mp/shared-memory/internal'
import { isBareRun, ways } from 'mp-internal'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as children from '../../queue/test/fixtures/leases.mjs'
import { pagesInUse, pagesOf } from '../../queue/test/memory.js'
import { start } from '../../queue/test/start.js'

const LONG = 1_000_000
const SHORT = 100
const isFilledWith = (bytes: Uint8Array, byte: number): boolean =>
  bytes.every((one) => one === byte)

describe('a lease of a message of bytes', () => {
  test.each([0, SHORT, 16_384, 16_385, LONG])(
    '(%i) shows it until it is released',
    async (length) => {
      const [a, b] = Pipe()
      a.sendBytesSync(new Uint8Array(length).fill(6))
      const lease = await b.recvBytes(undefined, { lease: true })
      expectTypeOf(lease).toEqualTypeOf<BytesLease>()
      const { bytes } = lease
      expect(bytes.constructor).toBe(Uint8Array)
      expect([bytes.length, bytes.byteOffset, bytes.buffer.byteLength]).toEqual([length, 0, length])
      expect(isFilledWith(bytes, 6)).toBe(true)
      lease.release()
      lease.release()
      expect(bytes.length).toBe(0)
      expect(() => lease.bytes).toThrow(expect.objectContaining({ code: 'ERR_MP_RELEASED' }))
      if (length > 0) expect(() => bytes.fill(1)).toThrow(/detached/)
      a.close()
      b.close()
      expect(pagesInUse()).toBe(0)
    },
  )

  test('that is too long is in the error, and leaves nothing', async () => {
    const [a, b] = Pipe()
    for (const _ of [1, 2]) a.sendBytesSync(new Uint8Array(LONG).fill(6))
    const error = await b.recvBytes(SHORT, { lease: true }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BufferTooShortError)
    expect((error as BufferTooShortError).bytes.length).toBe(LONG)
    expect(() => b.recvBytesSync(SHORT, { lease: true })).toThrow(BufferTooShortError)
    a.close()
    expect(() => b.recvBytesSync(undefined, { lease: true })).toThrow(EOFError)
    b.close()
    expect(pagesInUse()).toBe(0)
  })

  test('is what it was when the pipe is closed', () => {
    const [a, b] = Pipe()
    a.sendBytesSync(new Uint8Array(LONG).fill(6))
    const lease = b.recvBytesSync(undefined, { lease: true })
    a.close()
    b.close()
    const [c, d] = Pipe()
    for (let n = 0; n < 10; n++) c.sendBytesSync(new Uint8Array(LONG).fill(n))
    expect(isFilledWith(lease.bytes, 6)).toBe(true)
    lease.release()
    c.close()
    d.close()
    expect(pagesInUse()).toBe(0)
  })
})

interface Frame {
  name: string
  pixels: Float64Array
}

const frame = (length: number): Frame => ({
  name: 'a frame',
  pixels: Float64Array.from({ length }, (_, n) => n / 3),
})

const isSame = (a: Float64Array, b: Float64Array): boolean =>
  a.length === b.length && a.every((one, n) => one === b[n])

describe('a lease of a value', () => {
  test.each([SHORT, LONG])('with %i numbers shows it until it is released', async (length) => {
    const [a, b] = Pipe<Frame>()
    for (const form of ['promise', 'sync']) {
      const sent = a.send(frame(length))
      const lease =
        form === 'sync' ? b.recvSync({ lease: true }) : await b.recv({ lease: true, timeout: 5000 })
      expectTypeOf(lease).toEqualTypeOf<Lease<Frame>>()
      await sent
      const { name, pixels } = lease.value
      expect([name, isSame(pixels, frame(length).pixels)]).toEqual(['a frame', true])
      pixels[0] = 7
      expect(lease.value.pixels[0]).toBe(7)
      lease.release()
      expect(pixels.length).toBe(0)
      expect(() => lease.value).toThrow(expect.objectContaining({ code: 'ERR_MP_RELEASED' }))
    }
    a.close()
    b.close()
    expect(pagesInUse()).toBe(0)
  })

  test.skipIf(isBareRun)('lies in shared memory, in pages of the receiver', () => {
    const [a, b] = Pipe<Frame>()
    a.sendSync(frame(LONG))
    const lease = b.recvSync({ lease: true })
    a.close()
    b.close()
    expect(pagesOf(session().agent.tag)).toBe(Math.ceil((LONG * 8) / 65_536))
    expect(isSame(lease.value.pixels, frame(LONG).pixels)).toBe(true)
    lease.release()
    expect(pagesInUse()).toBe(0)
  })

  test('takes the timeout, the end of file and wrong options as any other call', async () => {
    const [a, b] = Pipe<Frame>()
    await expect(b.recv({ lease: true, timeout: 1 })).rejects.toMatchObject({
      code: 'ERR_MP_TIMEOUT',
    })
    await expect(b.recv({ lease: 1 as never })).rejects.toThrow(TypeError)
    expect(() => b.recvSync({ lease: 'yes' as never })).toThrow(TypeError)
    a.close()
    await expect(b.recv({ lease: true })).rejects.toThrow(EOFError)
    expect(() => b.recvSync({ lease: true })).toThrow(EOFError)
    b.close()
  })
})

describe('a loan', () => {
  test.each([0, SHORT, 16_384, 16_385, LONG])('of %i bytes is the message', async (length) => {
    const [a, b] = Pipe()
    const loan = a.allocate(length)
    const { bytes } = loan
    expect([bytes.length, bytes.byteOffset]).toEqual([length, 0])
    bytes.fill(7)
    await a.sendBytes(loan)
    expect(bytes.length).toBe(0)
    const got = await b.recvBytes()
    expect([got.length, isFilledWith(got, 7)]).toEqual([length, true])
    await expect(a.sendBytes(loan)).rejects.toMatchObject({ code: 'ERR_MP_RELEASED' })
    a.close()
    b.close()
    expect(pagesInUse()).toBe(0)
  })

  test('that was not sent is there again', async () => {
    const [a, b] = Pipe()
    a.sendBytesSync(new Uint8Array(16 * LONG))
    const loan = a.allocate(2 * LONG)
    loan.bytes.fill(7)
    expect(() => a.sendBytesSync(loan, 0, undefined, { timeout: 5 })).toThrow(/timeout/)
    await expect(a.sendBytes(loan, 0, undefined, { timeout: 5 })).rejects.toThrow(/timeout/)
    await expect(a.sendBytes(loan, 1)).rejects.toThrow(/offset/)
    await expect(a.sendBytes(loan, 0, 5)).rejects.toThrow(/size/)
    expect(isFilledWith(loan.bytes, 7)).toBe(true)
    b.close()
    await expect(a.sendBytes(loan)).rejects.toThrow(BrokenPipeError)
    expect(loan.bytes.length).toBe(2 * LONG)
    loan.release()
    a.close()
    expect(pagesInUse()).toBe(0)
  })

  test('needs an end that sends', () => {
    const [receiver, sender] = Pipe({ duplex: false })
    expect(() => receiver.allocate(1)).toThrow(
      expect.objectContaining({ code: 'ERR_MP_NOT_WRITABLE' }),
    )
    expect(() => sender.allocate(1.5)).toThrow(/byteLength/)
    sender.close()
    expect(() => sender.allocate(1)).toThrow(expect.objectContaining({ code: 'ERR_MP_CLOSED' }))
    receiver.close()
  })
})

describe.each(ways<StartMethod>('spawn', 'thread'))('with %s', (method) => {
  test('messages of any size go there by lease and come back by loan', async () => {
    const [here, there] = Pipe()
    const child = start(method, children.mirror, there)
    there.close()
    for (const size of [0, 1, 16_384, 16_385, 65_536, LONG, 3, 33_000_000]) {
      here.sendBytesSync(new Uint8Array(size).fill(size % 253))
      using lease = await here.recvBytes(undefined, { lease: true, timeout: 10_000 })
      expect([lease.bytes.length, isFilledWith(lease.bytes, size % 253)]).toEqual([size, true])
    }
    here.close()
    expect(await child.join({ timeout: 10_000 })).toBe(0)
  })

  test.skipIf(isBareRun)(
    'what a killed process had received and was about to send comes back',
    async () => {
      const [here, there] = Pipe<unknown, { tag: number; first: number }>()
      const child = start(method, children.keepBoth, there)
      there.close()
      here.sendBytesSync(new Uint8Array(LONG).fill(4))
      const { tag, first } = await here.recv({ timeout: 10_000 })
      expect(first).toBe(4)
      expect(pagesOf(tag)).toBe(32)
      child.kill()
      await child.join()
      session().reaper.reapAll()
      expect(pagesOf(tag)).toBe(0)
      await expect(here.recv({ timeout: 10_000 })).rejects.toThrow(EOFError)
      here.close()
    },
  )
})
