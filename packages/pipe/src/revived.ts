/**
 * What is made again in the process or thread that it was sent to: decoders import this module, and ask for a name.
 *
 * @module
 */
export { Connection } from './connection.js'
export { PipeCore } from './pipe-core.js'
