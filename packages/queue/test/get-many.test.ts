/** Several items at once, some of which cannot be decoded, or not at once. */
import { wait } from '@mp/pipe'
import { JoinableQueue, Queue, QueueEmptyError } from '@mp/queue'
import { describe, expect, test } from 'vitest'
import { Awaited } from './fixtures/awaiting.mjs'
import { getAwaited } from './fixtures/get-awaited.mjs'
import { start } from './start.js'

/** Can be sent and not be received. */
function unrevivable(): object {
  return { [Symbol.for('@mp/pickle.reduce')]: () => ({ revive: refuse, args: [] }) }
}

function refuse(): never {
  throw new Error('never arrives')
}

const items = (): unknown[] => [1, 2, unrevivable(), 4, unrevivable(), unrevivable(), 7]

type Get = (queue: Queue) => unknown[] | Promise<unknown[]>

const forms: [string, Get][] = [
  ['getMany', (queue) => queue.getMany(10, { timeout: 0 })],
  ['getManySync', (queue) => queue.getManySync(10, { timeout: 0 })],
]

describe.each(forms)('%s', (_form, get) => {
  test('loses nothing but the item that cannot be decoded, and says where it stood', async () => {
    const queue = new Queue()
    queue.putManySync(items())
    const got: unknown[] = []
    for (;;) {
      try {
        got.push(...(await get(queue)))
      } catch (error) {
        if (error instanceof QueueEmptyError) break
        got.push((error as Error).message)
      }
    }
    const lost = 'never arrives'
    expect(got).toEqual([1, 2, lost, 4, lost, lost, 7])
  })

  test('tells the next call of any kind of what could not be decoded', async () => {
    const queue = new Queue()
    const next = [
      () => queue.getNowait(),
      () => queue.get({ timeout: 0 }),
      () => queue.tryGet(),
      () => queue.getManySync(1, { timeout: 0 }),
    ]
    for (const call of next) {
      queue.putManySync([1, unrevivable()])
      expect(await get(queue)).toEqual([1])
      expect(queue.empty()).toBe(true)
      // To take from it would not wait.
      expect(await wait([queue], { timeout: 0 })).toEqual([queue])
      await expect((async () => call())()).rejects.toThrow('never arrives')
      expect(await wait([queue], { timeout: 0 })).toEqual([])
    }
  })

  test('has taken it from an acknowledged queue, and what comes after it stays in order', async () => {
    const queue = new JoinableQueue({ acknowledge: true })
    queue.putManySync([1, unrevivable(), 3])
    expect(await get(queue)).toEqual([1])
    expect(() => queue.getNowait()).toThrow('never arrives')
    queue.taskDone(2)
    expect(await queue.join({ timeout: 0 })).toBe(false)
    expect(queue.getNowait()).toBe(3)
    queue.taskDone()
    expect(await queue.join({ timeout: 0 })).toBe(true)
  })
})

test('getMany waits for the module of any of its items', async () => {
  const [queue, numbers] = [new Queue(), new Queue()]
  queue.putManySync([1, 2, 3].map((n) => new Awaited(n)))
  start('spawn', getAwaited, queue, numbers)
  expect(await numbers.get({ timeout: 20_000 })).toEqual([1, 2, 3].map((n) => ['Awaited', n]))
})
