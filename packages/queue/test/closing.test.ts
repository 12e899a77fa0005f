/** What becomes of those who wait for a queue when this process is done with it. */
import { wait } from '@mp/pipe'
import { JoinableQueue, Queue } from '@mp/queue'
import { describe, expect, test } from 'vitest'

const CLOSED = { code: 'ERR_MP_CLOSED' }

const kinds: [string, () => Queue<number>][] = [
  ['a queue', () => new Queue(1)],
  ['an acknowledged queue', () => new JoinableQueue({ maxSize: 1, acknowledge: true })],
]

describe.each(kinds)('%s that is closed', (_, make) => {
  test('ends the waits for items in this process, in every form', async () => {
    const queue = make()
    const iterated = async (): Promise<void> => {
      for await (const item of queue) expect(item).toBeUndefined()
    }
    const waits = [
      queue.get(),
      queue.getMany(2),
      queue.get({ lease: true }),
      queue.get({ timeout: 60_000 }),
      iterated(),
    ]
    const ready = wait([queue])
    await new Promise(setImmediate)
    queue.close()
    for (const one of waits) await expect(one).rejects.toMatchObject(CLOSED)
    expect(await ready).toEqual([queue])
    await expect(queue.get()).rejects.toMatchObject(CLOSED)
  })

  test('puts what waits to be put when there is room', async () => {
    const [queue, carrier] = [make(), new Queue<Queue<number>>()]
    queue.putSync(1)
    const put = queue.put(2)
    carrier.putSync(queue)
    queue.close()
    const again = carrier.getSync()
    expect(await again.get()).toBe(1)
    await put
    expect(await again.get()).toBe(2)
  })
})
