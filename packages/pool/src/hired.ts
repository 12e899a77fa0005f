/**
 * What a worker needs of this package: decoders import this module in it, and not all that makes a pool.
 *
 * @module
 */
import { runWorker } from './worker.js'

export { PoolCore } from './pool-core.js'
export { reviveSharedArgument } from './shared-arguments.js'

/** Gives the target of a worker's process. */
export function workerProgram(): typeof runWorker {
  return runWorker
}
