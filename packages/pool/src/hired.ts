/**
 * What a worker needs of this package: decoders import this module in it, and not all that makes a pool.
 *
 * @module
 */
import { alsoRehearse } from '@mp/process/own'
import { rehearse } from './rehearsal.js'
import { runWorker } from './worker.js'

export { PoolCore } from './pool-core.js'
export { reviveSharedArgument } from './shared-arguments.js'

/** Gives the target of a worker's process. */
export function workerProgram(): typeof runWorker {
  return runWorker
}

// A fork server imports this module with the package.
alsoRehearse(rehearse)
