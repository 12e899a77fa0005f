/**
 * What the tests of all packages share. Depends on none of them, so that each may use it.
 *
 * @module
 */
export { openDescriptors } from './descriptors.js'
