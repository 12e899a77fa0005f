/**
 * What the fork server loads before it makes children.
 *
 * @module
 */
import { wrongType } from '@mp/shared-memory/internal'

let modules: readonly string[] = []

/**
 * Names modules that the fork server loads in advance, so that its children have them from the start.
 *
 * Takes effect with the next start by `forkserver`. Names are looked up as the main module would: packages,
 * URLs, and paths relative to it. A module that fails to load is left out, with a warning; one that opens a
 * connection, or makes a lock or a queue, when it is loaded makes forking impossible: `spawn` is used then.
 * Children do the same for their own children.
 *
 * @example
 * setForkserverPreload(['./model.js', 'lodash'])
 */
export function setForkserverPreload(names: readonly string[]): void {
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw wrongType('names', 'an array of module names', names)
  }
  modules = [...(names as readonly string[])]
}

export function forkserverPreload(): readonly string[] {
  return modules
}
