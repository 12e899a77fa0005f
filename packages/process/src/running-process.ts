/**
 * What a Process object that travels into itself becomes there.
 *
 * @module
 */
import { currentProcess } from './current.js'

/** In the child: gives the process that is being revived. The serializer asks for it by name. @public */
export function runningProcess(): object {
  return currentProcess()
}
