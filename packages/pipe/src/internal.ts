/**
 * What proves the pipe's protocol uses of it. Not for users: no promise of stability.
 *
 * @module
 */
export { PipeCore, type End, type InFlight } from './pipe-core.js'
export { BrokenPipeError, EOFError } from './errors.js'
