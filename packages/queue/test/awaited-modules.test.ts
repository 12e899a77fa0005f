/** What is received names a module with a top-level await, which a blocked thread cannot load. */
import { type ConnectionLike, Listener, Pipe } from '@mp/pipe'
import { Queue } from '@mp/queue'
import { expect, test } from 'vitest'
import {
  FORM_NAMES,
  receiveAwaited,
  receiveTwice,
  sendAwaited,
  sendOverSocket,
} from './fixtures/receive-awaited.mjs'
import { start } from './start.js'

const CODE = 'ERR_REQUIRE_ASYNC_MODULE'
const LIMIT = { timeout: 20_000 }

test('a form that blocks says so and leaves the message to the next call, in order', async () => {
  const [here, there] = Pipe()
  const [queue, results] = [new Queue(), new Queue<unknown>()]
  start('spawn', sendAwaited, here, queue, FORM_NAMES)
  start('spawn', receiveAwaited, there, queue, results)
  here.close()
  there.close()
  for (const form of FORM_NAMES) {
    expect(await results.get(LIMIT)).toEqual([form, [CODE, CODE], 2, [1, 2]])
  }
})

test('recv waits for the module, and receives as usual afterwards', async () => {
  const [here, there] = Pipe()
  const results = new Queue<unknown>()
  start('spawn', sendAwaited, here, results, ['recv'])
  start('spawn', receiveTwice, there, results)
  here.close()
  there.close()
  expect(await results.get(LIMIT)).toEqual([1, 2])
})

test('so it is over a socket', async () => {
  using listener = await Listener.listen({ authKey: 'key' })
  start('spawn', sendOverSocket, listener.address)
  const connection: ConnectionLike = await listener.accept(LIMIT)
  await connection.poll(LIMIT)
  expect(() => connection.recvSync()).toThrow(expect.objectContaining({ code: CODE }))
  expect(await connection.poll({ timeout: 0 })).toBe(true)
  expect(await connection.recv()).toEqual(expect.objectContaining({ n: 1 }))
  expect(connection.recvSync()).toEqual(expect.objectContaining({ n: 2 }))
  await connection.send('all')
  connection.close()
})
