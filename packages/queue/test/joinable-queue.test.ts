import { Process } from '@mp/process'
import { JoinableQueue } from '@mp/queue'
import { expect, test } from 'vitest'
import * as children from './fixtures/children.mjs'

test('join waits until every item is done', async () => {
  const queue = new JoinableQueue<number>()
  expect(await queue.join({ timeout: 0 })).toBe(true)
  await queue.putMany([1, 2])
  expect(queue.joinSync({ timeout: 5 })).toBe(false)
  const joined = queue.join()
  await queue.getMany(2)
  queue.taskDone()
  expect(await queue.join({ timeout: 5 })).toBe(false)
  queue.taskDone()
  expect(await joined).toBe(true)
})

test('more taskDone than items throws and changes nothing', async () => {
  const queue = new JoinableQueue<number>()
  await queue.put(1)
  expect(() => queue.taskDone(2)).toThrow(expect.objectContaining({ code: 'ERR_MP_TASK_DONE' }))
  expect(queue.joinSync({ timeout: 0 })).toBe(false)
  queue.taskDone()
  expect(queue.joinSync({ timeout: 0 })).toBe(true)
  expect(() => queue.taskDone()).toThrow('more often')
  expect(() => queue.taskDone(0)).toThrow(RangeError)
})

test('an immediate shutdown counts the rest as done', async () => {
  const queue = new JoinableQueue<number>()
  await queue.putMany([1, 2, 3])
  const joined = queue.join()
  queue.shutdown({ immediate: true })
  expect(await joined).toBe(true)
})

test('join learns of work that another process does', async () => {
  const queue = new JoinableQueue<number>()
  const child = new Process({ target: children.work, args: [queue, 50] }).start()
  await queue.putMany(Array.from({ length: 50 }, (_, i) => i))
  expect(queue.joinSync({ timeout: 10_000 })).toBe(true)
  expect(await child.join({ timeout: 10_000 })).toBe(0)
})
