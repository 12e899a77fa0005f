/** `wait` and `waitSync` over everything that can be waited for. */
import { Pipe, wait, waitSync } from '@mp/pipe'
import type { StartMethod } from '@mp/process'
import { JoinableQueue, Queue, SimpleQueue } from '@mp/queue'
import { Event, Lock } from '@mp/sync'
import { ways } from 'mp-internal'
import { afterEach, describe, expect, test } from 'vitest'
import * as children from './fixtures/waited.mjs'
import { start } from '../../queue/test/start.js'

const LIMIT = { timeout: 10_000 }
const closers: (() => unknown)[] = []

function pipe(): ReturnType<typeof Pipe<unknown, unknown>> {
  const ends = Pipe<unknown, unknown>()
  closers.push(() => ends.forEach((end) => end.close()))
  return ends
}

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

const forms = [
  ['wait', async <W>(things: Iterable<W>, o?: { timeout?: number }) => wait(things, o)],
  ['waitSync', async <W>(things: Iterable<W>, o?: { timeout?: number }) => waitSync(things, o)],
] as const

describe.each(forms)('%s', (_, waitFor) => {
  test('gives nothing at once for nothing, and after the timeout when nothing is ready', async () => {
    const [a] = pipe()
    expect(await waitFor([])).toEqual([])
    const things = [a, new Queue(), new SimpleQueue(), new JoinableQueue(), new Event()]
    expect(await waitFor(things, { timeout: 0 })).toEqual([])
    const begun = performance.now()
    expect(await waitFor(things, { timeout: 60 })).toEqual([])
    expect(performance.now() - begun).toBeGreaterThan(55)
  })

  test('gives all that are ready, in the order given, and takes nothing', async () => {
    const [a, b] = pipe()
    const [queue, simple, event] = [new Queue(), new SimpleQueue(), new Event()]
    queue.putSync(1)
    event.set()
    b.sendSync('x')
    const things = [simple, event, queue, a]
    expect(await waitFor(things)).toEqual([event, queue, a])
    expect(await waitFor(new Set(things))).toEqual([event, queue, a])
    expect(queue.qsize()).toBe(1)
    expect(a.recvSync()).toBe('x')
    expect(await waitFor([a, queue, queue])).toEqual([queue, queue])
  })

  test('the end is ready: of a pipe, of a queue that is shut down and drained', async () => {
    const [a, b] = pipe()
    const [queue, joinable] = [new Queue(), new JoinableQueue({ acknowledge: true })]
    b.close()
    queue.shutdown()
    joinable.putSync(1)
    const task = joinable.getTaskSync()
    joinable.shutdown()
    expect(await waitFor([a, queue, joinable])).toEqual([a, queue, joinable])
    task.done()
  })

  test('what cannot be waited for throws at the call', async () => {
    await expect(waitFor([new Lock()])).rejects.toThrow(/Expected `things`/)
    await expect(waitFor(1 as never)).rejects.toThrow(/Expected `things`/)
    await expect(waitFor([], { timeout: '1' as never })).rejects.toThrow(/timeout/)
    const [receiver, sender] = Pipe({ duplex: false })
    await expect(waitFor([sender])).rejects.toMatchObject({ code: 'ERR_MP_NOT_READABLE' })
    receiver.close()
    await expect(waitFor([receiver])).rejects.toMatchObject({ code: 'ERR_MP_CLOSED' })
    sender.close()
    const queue = new Queue()
    queue.close()
    await expect(waitFor([queue])).rejects.toMatchObject({ code: 'ERR_MP_CLOSED' })
  })

  test.each(ways<StartMethod>('spawn', 'thread'))(
    'sees each as it gets ready (%s)',
    async (method) => {
      const [here, there] = pipe()
      const [go, queue, simple, event] = [new Queue(), new Queue(), new SimpleQueue(), new Event()]
      const tasks = new JoinableQueue({ acknowledge: true })
      const child = start(method, children.makeReady, go, { there, queue, simple, tasks, event })
      there.close()
      const things = { there: here, queue, simple, tasks, event }
      for (const [name, thing] of Object.entries(things)) {
        go.putSync(name)
        expect(await waitFor([child, ...Object.values(things)], LIMIT)).toEqual([thing])
        if (name === 'there') here.recvSync()
        else if (name === 'event') event.clear()
        else (thing as Queue).getSync()
      }
      go.putSync('end')
      // Its end of the pipe goes with it.
      const ready = await waitFor([child, queue, event], LIMIT)
      expect(ready).toEqual([child])
      expect(await waitFor([here], LIMIT)).toEqual([here])
      tasks.taskDone()
    },
  )

  test('sees an event that was set and cleared while it waited', async () => {
    const [go, event] = [new Queue(), new Event()]
    start('thread', children.pulse, go, event)
    go.putSync('go')
    expect(await waitFor([event, new Queue()], LIMIT)).toEqual([event])
  })

  test('sees the items of a taker that was killed', async () => {
    const tasks = new JoinableQueue({ acknowledge: true })
    const ready = new Queue()
    const child = start('spawn', children.takeAndHang, tasks, ready)
    tasks.putSync(1)
    await ready.get(LIMIT)
    child.kill()
    expect(await waitFor([tasks], LIMIT)).toEqual([tasks])
    expect(tasks.getTaskSync()).toMatchObject({ value: 1, redelivered: 1 })
  })

  test('an item that others take meanwhile does not end the wait', async () => {
    const [queue, event, go] = [new Queue(), new Event(), new Queue()]
    start('thread', children.putTakeAndSet, go, queue, event)
    go.putSync('go')
    const ready = await waitFor([queue, event], LIMIT)
    // It may see an item while it is there; it never comes back with nothing.
    expect(ready.length).toBeGreaterThan(0)
    expect(await waitFor([event], LIMIT)).toEqual([event])
    expect(queue.empty()).toBe(true)
  })
})

test('a wait that was woken in vain leaves the wake to others', async () => {
  const [ready, queue, out, event] = [new Queue(), new Queue(), new Queue(), new Event()]
  start('thread', children.waitOnly, ready, queue, event)
  await ready.get(LIMIT)
  start('thread', children.passOneOn, ready, queue, out)
  await ready.get(LIMIT)
  queue.putSync('item')
  expect(await out.get(LIMIT)).toBe('item')
  event.set()
})

test('an event that is set and cleared before the waiter looks has been ready', async () => {
  const event = new Event()
  const waited = wait([event, new Queue()])
  event.set()
  event.clear()
  expect(await waited).toEqual([event])
})

test('an aborted wait rejects and leaves nothing behind', async () => {
  const [a, b] = pipe()
  const queue = new Queue<string>()
  const abort = new AbortController()
  const waited = wait([a, queue, new Event()], { signal: abort.signal })
  const got = queue.get()
  abort.abort(new Error('enough'))
  await expect(waited).rejects.toThrow('enough')
  queue.putSync('item')
  expect(await got).toBe('item')
  b.sendSync(1)
  expect(a.recvSync()).toBe(1)
  await expect(wait([a], { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
    'before',
  )
})

test('closing a connection here ends the wait for it', async () => {
  const [a] = pipe()
  const waited = wait([a])
  a.close()
  expect(await waited).toEqual([a])
})
