/**
 * What the tests use of the explorer.
 *
 * @module
 */
export { loadBundle } from './bundle.js'
export { mutations } from './mutations/index.js'
export { plans } from './plan.js'
export { runRandomly } from './random.js'
export { explore } from './search.js'
export { UNBOUNDED } from './state.js'
export { formatTrace, parseTrace, tell } from './trace.js'
export { World } from './world.js'
