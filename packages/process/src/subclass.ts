/**
 * What a subclass of Process may have.
 *
 * @module
 */
import { PicklingError } from '@mp/pickle'
import { hasPrivateElements } from '@mp/pickle/internal'
import type { Body } from './payload.js'
import { isStock } from './state.js'

/**
 * @returns the class of a process, or undefined when it is one of ours.
 * @throws PicklingError when it has `#private` elements: the child's object is made without its constructor, and gets
 *   the fields that can be seen.
 */
export function subclassOf(process: object): Body['subclass'] {
  const { constructor } = Object.getPrototypeOf(process) as { constructor?: Body['subclass'] }
  if (constructor === undefined || isStock(constructor)) return undefined
  for (
    let type: object = constructor;
    !isStock(type);
    type = Object.getPrototypeOf(type) as object
  ) {
    if (!hasPrivateElements(type)) continue
    const message = `cannot send the process: class ${(type as typeof constructor).name} has #private elements, which cannot be seen; use ordinary fields and methods`
    throw new PicklingError(message, 'process')
  }
  return constructor
}
