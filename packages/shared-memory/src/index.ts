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
export {
  SharedMemory,
  type SharedMemoryCreateOptions,
  type SharedMemoryOpenOptions,
} from './shared-block.js'
export type { Shareable } from './shareable-item.js'
export { ShareableList } from './shareable-list.js'
