/**
 * Queues shared between processes and threads.
 *
 * @module
 */
export { QueueEmptyError, QueueFullError, QueueShutDownError } from './errors.js'
export { JoinableQueue } from './joinable-queue.js'
export type {
  JoinableQueueOptions,
  QueueOptions,
  QueueWaitOptions,
  ShutdownOptions,
} from './options.js'
export { Queue } from './queue.js'
export type { QueueTask } from './queue-task.js'
export { SimpleQueue } from './simple-queue.js'
export type { Loanable } from './lending.js'
export { Lease, type LeaseOption, Loan, MessageTooLargeError } from '@mp/shared-memory/internal'
