/**
 * Values, functions, classes and errors to bytes and back.
 *
 * @module
 */
export { dumps, encodeInto, type DumpsOptions } from './dumps.js'
export { PicklingError, UnpicklingError } from './errors.js'
export {
  reduceSymbol,
  reviveSymbol,
  type Reduced,
  type ReducedByModule,
  type ReducedByValue,
} from './hooks.js'
export { loads, loadsAsync, needsModules, type LoadsOptions } from './loads.js'
