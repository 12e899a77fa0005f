/**
 * What is made again in the process or thread that it was sent to: decoders import this module, and ask for a name.
 *
 * @module
 */
export { PoolLine } from './client/line.js'
export { Pool } from './pool.js'
