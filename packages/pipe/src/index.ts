/**
 * Connections between processes and threads.
 *
 * @module
 */
export { Connection } from './connection.js'
export { BrokenPipeError, BufferTooShortError, EOFError } from './errors.js'
export { Pipe, type PipeOptions } from './pipe.js'
export { wait, waitSync } from './wait.js'
