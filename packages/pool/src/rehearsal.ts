/**
 * What a pool's worker does with its first task, done by a fork server at its start: all its workers have that compiled then.
 *
 * @module
 */
import { dumps, loadsAsync } from '@mp/pickle'
import { sampleFunction } from '@mp/pickle/internal'
import { trackInFlight } from '@mp/shared-memory/internal'
import { type SentFunction, SentFunctions } from './functions.js'
import { ORDER } from './layout.js'
import { MODE, TASK_HEAD, writeTaskHead } from './messages.js'
import { PoolCore } from './pool-core.js'
import { type WorkerSetup, runWorker, work } from './worker.js'

/**
 * A pool of one worker, which runs one task; nothing of it is left.
 *
 * @param n tells it from others.
 */
export async function rehearse(n: number): Promise<void> {
  const core = new PoolCore()
  const functions = new SentFunctions(core.session)
  try {
    core.reset(0, ORDER.work)
    core.queue(0)
    const message = messageOf(functions.useEncoded('sample', sampleFunction(n)), n)
    core.tasks.tryPutOne(message, message.length)
    await workAsSent(core)
  } finally {
    functions.clear()
    core.close()
  }
}

/** As `Task` writes it, which workers do not have. */
function messageOf({ reference }: SentFunction, argument: number): Uint8Array {
  const payload = dumps([argument])
  const message = new Uint8Array(TASK_HEAD + payload.length)
  writeTaskHead(new Int32Array(message.buffer, 0, TASK_HEAD >>> 2), 0, MODE.call, reference)
  message.set(payload, TASK_HEAD)
  return message
}

/** The worker's own view of the pool has travelled. */
async function workAsSent(core: PoolCore): Promise<void> {
  const setup: WorkerSetup = {
    index: 0,
    initializer: undefined,
    initArgs: [],
    maxTasks: 1,
    maxMemory: Infinity,
  }
  const { result: bytes } = trackInFlight(() => dumps([runWorker, core, setup]))
  const [, own, arrived] = (await loadsAsync(bytes)) as [unknown, PoolCore, WorkerSetup]
  await work(own, arrived)
  if (own !== core) own.close()
}
