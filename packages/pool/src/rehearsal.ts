/**
 * What a pool's worker does with its first task, done by a fork server at its start: all its workers have that compiled then.
 *
 * A fork server imports this module after the package.
 *
 * @module
 */
import { dumps, encodeTo, loadsAsync, sampleFunction } from '@mp/pickle'
import { alsoRehearse } from '@mp/process/own'
import { collectNotes, trackInFlight } from '@mp/shared-memory/internal'
import { SentFunctions } from './functions.js'
import { ORDER } from './layout.js'
import { MODE } from './messages.js'
import { checkTaskOptions } from './options.js'
import { PoolCore } from './pool-core.js'
import { Task } from './task.js'
import { type WorkerSetup, runWorker, work } from './worker.js'

const IGNORE = { resolve: () => {}, reject: () => {} }

/** A pool of one worker, which runs one task; nothing of it is left. */
async function rehearse(n: number): Promise<void> {
  const core = new PoolCore()
  const functions = new SentFunctions(core.session)
  try {
    core.reset(0, ORDER.work)
    const task = new Task(
      MODE.call,
      functions.useEncoded('sample', sampleFunction(n)),
      1,
      checkTaskOptions(undefined),
      IGNORE,
    )
    collectNotes(task, encodeTo, [n])
    core.queue(0)
    task.putInto(core.tasks)
    task.forget()
    await workAsSent(core)
  } finally {
    functions.clear()
    core.close()
  }
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

alsoRehearse(rehearse)
