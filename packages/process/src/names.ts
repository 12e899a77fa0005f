/**
 * Names of processes, as Python gives them.
 *
 * A process is known by the numbers of its line of ancestors: the second child of
 * the root's first child is `Process-1:2`. After `BaseProcess.__init__` in
 * CPython's `multiprocessing/process.py`.
 *
 * @module
 */

/** The name of the root. */
export const MAIN_NAME = 'MainProcess'

/** The name of a process that got none: its class and its identity. */
export function defaultName(className: string, identity: readonly number[]): string {
  return `${className === '' ? 'Process' : className}-${identity.join(':')}`
}
