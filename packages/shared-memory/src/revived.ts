/**
 * What is made again in the process or thread that it was sent to: decoders import this module, and ask for a name.
 *
 * @module
 */
export { BlockBytes } from './bare/unnamed.js'
export { ShareableList } from './shareable-list.js'
export { SharedArray } from './shared-array.js'
export { SharedMemory } from './shared-block.js'
export { SharedValue } from './shared-value.js'
