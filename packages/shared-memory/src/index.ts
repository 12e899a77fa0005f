/**
 * Shared memory between processes and threads.
 *
 * @module
 */
export { MultiprocessingError, OutOfSharedMemoryError, TimeoutError } from './errors.js'
export type { WaitOptions } from './arguments.js'
export type { ElementOf, TypedArray, TypedArrayConstructor } from './number-types.js'
export { SharedArray } from './shared-array.js'
export { SharedValue, type SharedValueType, type ValueFor, type ValueOf } from './shared-value.js'
