/**
 * Python's multiprocessing for Node.js: everything that the `@mp` packages offer, by one name.
 *
 * Re-exports only, so that `import * as mp from '@mp/multiprocessing'` reads as in Python; with it, contexts have everything,
 * too. A program that needs one part installs that part's package alone; both see the same classes.
 *
 * @module
 */
export { Context, getContext } from './context.js'
export * from '@mp/pickle'
export * from '@mp/pipe'
export * from '@mp/pool'
export * from '@mp/process'
export * from '@mp/queue'
export * from '@mp/shared-memory'
export * from '@mp/sync'
