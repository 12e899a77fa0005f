/**
 * A writer and a reader on a small `Queue`, neither of which waits for the other: `block: false`.
 *
 *     npx tsx queue.ts
 *
 * When the queue is full, or empty, they are told so at once and do something else for a while.
 * (Left out, `block` is true, and `await queue.put(n)` waits for room.)
 */
import {
  Process,
  Queue,
  QueueEmptyError,
  QueueFullError,
  QueueShutDownError,
} from '@mp/multiprocessing'
import { setTimeout as sleep } from 'node:timers/promises'

const second = 1000 * Number(process.env.MP_EXAMPLE_SCALE ?? 1)

async function write(queue: Queue<number>): Promise<void> {
  for (let n = 1; n <= 10;) {
    try {
      await queue.put(n, { block: false })
      console.log(`writer: put ${n}`)
      n++
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error
      console.log('writer: the queue is full')
      await sleep(1 * second)
    }
  }
  queue.shutdown() // no more puts; gets go on until it is empty
}

async function read(queue: Queue<number>): Promise<void> {
  for (;;) {
    try {
      const n = await queue.get({ block: false })
      console.log(`reader: got ${n}`)
      await sleep(0.2 * second)
    } catch (error) {
      if (error instanceof QueueShutDownError) break
      if (!(error instanceof QueueEmptyError)) throw error
      console.log('reader: the queue is empty')
      await sleep(0.2 * second)
    }
  }
  console.log('reader: that was all')
}

const queue = new Queue<number>(3)
const reader = new Process({ target: read, args: [queue] }).start()
const writer = new Process({ target: write, args: [queue] }).start()
await writer.join()
await reader.join()
