/**
 * The Process object of a child: an instance of the class that was started, with its fields.
 *
 * @module
 */
import { currentProcess } from './current.js'
import type { Body } from './payload.js'
import type { Process } from './process.js'
import { current, setState } from './state.js'

/** Gives the object that the payload may refer to its class, its fields and what it calls. */
export function revive({ subclass, fields }: Body): Process {
  const self = currentProcess()
  if (subclass !== undefined) Object.setPrototypeOf(self, subclass.prototype as object)
  // Defined, not assigned: a setter of the subclass must not run.
  for (const [key, value] of Object.entries(fields)) {
    Object.defineProperty(self, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
  setState(self, current.state)
  return self
}
