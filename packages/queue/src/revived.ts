/**
 * What is made again in the process or thread that it was sent to: decoders import this module, and ask for a name.
 *
 * @module
 */
export { JoinableQueue } from './joinable-queue.js'
export { Queue } from './queue.js'
export { SimpleQueue } from './simple-queue.js'
