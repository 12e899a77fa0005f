/**
 * What is made again in the process or thread that it was sent to: decoders import this module, and ask for a name.
 *
 * @module
 */
export { PoolLine } from './client/line.js'
export { PoolCore } from './pool-core.js'
export { Pool } from './pool.js'
export { reviveSharedArgument } from './shared-arguments.js'
export { runWorker } from './worker.js'
