/**
 * The process that this code runs in, its parent and its children.
 *
 * @module
 */
import { isDead, session } from '@mp/shared-memory/internal'
import { look } from './ending.js'
import { Process } from './process.js'
import type { Running } from './running.js'
import { type ProcessState, children, current, setState } from './state.js'

/** The process that started this one, as this one sees it. */
export interface ParentProcess {
  readonly name: string
  readonly pid: number
  /** Tells whether it still runs. A child process does not outlive its parent. */
  isAlive(): boolean
}

/**
 * Returns the Process that this code runs in; in the root, one named `MainProcess`.
 *
 * In a child it is the object whose `run()` was called, so an instance of its subclass.
 */
export function currentProcess(): Process {
  if (current.process === undefined) {
    current.process = Object.create(Process.prototype) as Process
    setState(current.process, current.state)
  }
  return current.process as Process
}

/** Returns the process that started this one; null in the root. */
export function parentProcess(): ParentProcess | null {
  const { parent } = current
  if (parent === undefined) return null
  const { name, pid, tag } = parent
  return { name, pid, isAlive: () => !isDead(session().words, tag) }
}

/** Returns the children of this process that run. */
export function activeChildren(): Process[] {
  return [...children]
    .filter(([state]) => look(state as ProcessState & { running: Running }) === null)
    .map(([, process]) => process as Process)
}
