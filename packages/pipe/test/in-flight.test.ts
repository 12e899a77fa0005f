/** What becomes of an end that is inside a message when somebody dies, or what the message travels through ends. */
import { type Connection, EOFError, Pipe } from '@mp/pipe'
import { JoinableQueue, Queue } from '@mp/queue'
import { wasKilled } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import { start } from '../../queue/test/start.js'
import * as children from './fixtures/in-flight.mjs'

const WAIT = { timeout: 10_000 }

interface Letter {
  end: Connection<string, never>
}

/** The end that stays here, and the one that travels. */
const ends = (): [Connection, Connection] => Pipe()

describe('an end in a message', () => {
  test('that was put is held, and works, when its sender was killed', async () => {
    const queue = new Queue<Letter>()
    const [here, there] = ends()
    const child = start('spawn', children.putAndDie, queue, there)
    there.close()
    await child.join(WAIT)
    await expect(here.recv({ timeout: 50 })).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
    const { end } = await queue.get(WAIT)
    await end.send('arrived')
    end.close()
    expect(await here.recv(WAIT)).toBe('arrived')
    await expect(here.recv(WAIT)).rejects.toThrow(EOFError)
  })

  test('is held by nobody once who was to receive it is killed, be it asleep or in an event loop', async () => {
    for (const form of ['sync', 'async']) {
      const [to, from] = Pipe<Letter | string, string>()
      const [here, there] = ends()
      const child = start('spawn', children.saySomethingAndHang, from)
      from.close()
      await to.recv(WAIT)
      await to.send({ end: there as never })
      there.close()
      const received = form === 'async' ? here.recv(WAIT) : undefined
      child.kill()
      if (received === undefined) expect(() => here.recvSync(WAIT)).toThrow(EOFError)
      else await expect(received).rejects.toThrow(EOFError)
      to.close()
      await child.join(WAIT)
    }
  })

  test('is held by nobody once the queue has ended that it is in', async () => {
    const queue = new Queue<Letter>()
    const [here, there] = ends()
    await queue.put({ end: there as never })
    there.close()
    const received = here.recv(WAIT)
    queue.close()
    await expect(received).rejects.toThrow(EOFError)
    // Sending to it fails, too.
    await expect(here.send('x')).rejects.toMatchObject({ code: 'ERR_MP_BROKEN_PIPE' })
  })

  test('is let go of, too, where somebody waited before it was sent', async () => {
    const queue = new Queue<Letter>()
    const [here, there] = ends()
    const received = here.recv(WAIT)
    await new Promise(setImmediate)
    await queue.put({ end: there as never })
    there.close()
    await new Promise(setImmediate)
    queue.close()
    await expect(received).rejects.toThrow(EOFError)
  })

  test('is held by nobody once the end is closed that would receive it', async () => {
    const [to, from] = Pipe<Letter>()
    const [here, there] = ends()
    await to.send({ end: there as never })
    there.close()
    expect(await here.poll({ timeout: 0 })).toBe(false)
    from.close()
    expect(await here.poll(WAIT)).toBe(true)
    await expect(here.recv()).rejects.toThrow(EOFError)
    to.close()
  })

  test('inside a message inside a message is held as long as the outermost can be received', async () => {
    const outer = new Queue<{ end: Connection<Letter> }>()
    const [to, from] = Pipe<Letter>()
    const [here, there] = ends()
    await to.send({ end: there as never })
    there.close()
    await outer.put({ end: from })
    from.close()
    await expect(here.recv({ timeout: 20 })).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
    const letter = await outer.get(WAIT)
    const { end } = await letter.end.recv(WAIT)
    await end.send('from within')
    expect(await here.recv(WAIT)).toBe('from within')
    for (const one of [to, letter.end, end]) one.close()
    await expect(here.recv(WAIT)).rejects.toThrow(EOFError)
  })

  test('that was taken back may be sent again, more often than there are places', async () => {
    const full = new Queue(1)
    full.putSync(0)
    const [here, there] = ends()
    for (let n = 0; n < 200; n++) expect(full.tryPut({ end: there })).toBe(false)
    for (let n = 0; n < 200; n++) {
      const queue = new Queue<Letter>()
      queue.putSync({ end: there as never })
      queue.close()
    }
    there.close()
    await expect(here.recv(WAIT)).rejects.toThrow(EOFError)
  })

  test('of an acknowledged queue arrives though its sender was killed', async () => {
    const queue = new JoinableQueue<Letter>({ acknowledge: true })
    const [here, there] = ends()
    const child = start('spawn', children.putAndDie, queue, there)
    there.close()
    await child.join(WAIT)
    const task = await queue.getTask(WAIT)
    await task.value.end.send('arrived')
    task.value.end.close()
    task.done()
    expect(await here.recv(WAIT)).toBe('arrived')
    await expect(here.recv(WAIT)).rejects.toThrow(EOFError)
  })
})

/** Comes before an end in a message, and does this where it is decoded. */
const before = (revive: () => void): object => ({
  [Symbol.for('@mp/pickle.reduce')]: () => ({ revive, args: [] }),
})

const SHORT = 'x'
const LONG = 'x'.repeat(40_000)
const FORMS: [string, string, string][] = [
  ['sync', 'short', SHORT],
  ['async', 'short', SHORT],
  ['async', 'long', LONG],
  ['lease', 'long', LONG],
  ['async lease', 'long', LONG],
]

describe('an end in a message that was taken', () => {
  const filling = SHORT

  test.each(FORMS)(
    'from a queue is held by nobody once its taker was killed (%s, %s)',
    async (form, _, text) => {
      const queue = new Queue<unknown>()
      const [here, there] = ends()
      const child = start('spawn', children.takeBy, form, queue as never)
      queue.putSync({ text, die: before(children.die), end: there })
      there.close()
      await expect(here.recv(WAIT)).rejects.toThrow(EOFError)
      await expect(here.send('x')).rejects.toMatchObject({ code: 'ERR_MP_BROKEN_PIPE' })
      expect(await child.join(WAIT)).toSatisfy(wasKilled)
      expect(queue.empty()).toBe(true)
    },
  )

  test('from a pipe whose end others hold as well is held by nobody once its taker was killed', async () => {
    const [to, from] = Pipe<unknown>()
    const [here, there] = ends()
    const child = start('spawn', children.takeBy, 'async', from as never)
    to.sendSync({ filling, die: before(children.die), end: there })
    there.close()
    await expect(here.recv(WAIT)).rejects.toThrow(EOFError)
    expect(await child.join(WAIT)).toSatisfy(wasKilled)
    to.close()
    from.close()
  })

  test.each(FORMS)('and cannot be decoded is held by nobody (%s, %s)', async (form, _, text) => {
    const [queue, done, go] = [new Queue<unknown>(), new Queue(), new Queue()]
    const [here, there] = ends()
    start('spawn', children.takeAndGoOn, form, queue as never, done, go)
    queue.putSync({ text, fail: before(children.fail), end: there })
    there.close()
    expect(await done.get(WAIT)).toBe('cannot be decoded')
    await expect(here.recv(WAIT)).rejects.toThrow(EOFError)
    go.putSync(0)
  })

  test('is held while somebody else dies with another message', async () => {
    const queue = new Queue<unknown>()
    const [here, there] = ends()
    const [here2, there2] = ends()
    queue.putManySync([
      { filling, die: before(children.die), end: there },
      { filling, end: there2 },
    ])
    there.close()
    there2.close()
    const child = start('spawn', children.takeBy, 'sync', queue as never)
    expect(await child.join(WAIT)).toSatisfy(wasKilled)
    await expect(here2.recv({ timeout: 250 })).rejects.toMatchObject({ code: 'ERR_MP_TIMEOUT' })
    const { end } = (await queue.get(WAIT)) as Letter
    await end.send('arrived')
    end.close()
    expect(await here2.recv(WAIT)).toBe('arrived')
    await expect(here2.recv(WAIT)).rejects.toThrow(EOFError)
    await expect(here.recv(WAIT)).rejects.toThrow(EOFError)
  })
})

test('an end in a queue that is shut down and emptied is held by nobody, though the queue is there', async () => {
  const queue = new Queue<Letter>()
  const [here, there] = ends()
  queue.putSync({ end: there as never })
  there.close()
  expect(here.pollSync({ timeout: 0 })).toBe(false)
  queue.shutdown({ immediate: true })
  await expect(here.recv(WAIT)).rejects.toThrow(EOFError)
  expect(queue.empty()).toBe(true)
})
