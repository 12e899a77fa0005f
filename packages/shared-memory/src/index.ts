/**
 * Shared memory between processes and threads.
 *
 * @module
 */
export { MultiprocessingError, OutOfSharedMemoryError, TimeoutError } from './errors.js'
export type { WaitOptions } from './arguments.js'
