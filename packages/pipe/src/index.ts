/**
 * Connections between processes and threads.
 *
 * @module
 */
export {
  BytesLease,
  Lease,
  type LeaseOption,
  Loan,
  MessageTooLargeError,
} from '@mp/shared-memory/internal'
export type { SendableBytes } from './bytes.js'
export { Connection } from './connection.js'
export { BrokenPipeError, BufferTooShortError, EOFError } from './errors.js'
export { Pipe, type PipeOptions } from './pipe.js'
export { wait, waitSync } from './wait.js'
