/**
 * Measures the shared memory of an idle queue, in bytes: `node idle.js SPEC`.
 *
 * `one-way`: of one through which a message has gone; else of one that was only made.
 *
 * @module
 */
import { fstatSync } from 'node:fs'
import { Queue } from '@mp/queue'
import { session } from '@mp/shared-memory/internal'
import { type Spec, ensure } from './spec.js'

const QUEUES = 256
const BLOCK_BYTES = 512

const spec = JSON.parse(process.argv[2]) as Spec
const queues = [use(new Queue<number>())]
const before = sharedBytes()
while (queues.length <= QUEUES) queues.push(use(new Queue<number>()))
process.stdout.write(`${(sharedBytes() - before) / QUEUES}\n`)
for (const queue of queues) queue.close()

function use(queue: Queue<number>): Queue<number> {
  if (spec.what !== 'one-way') return queue
  queue.putSync(1)
  ensure(queue.getSync() === 1, 'The message is not what was sent')
  return queue
}

/** What of the session's file takes memory. */
function sharedBytes(): number {
  return fstatSync(session().native.fd()).blocks * BLOCK_BYTES
}
