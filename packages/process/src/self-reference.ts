/**
 * How a Process object travels: only into itself.
 *
 * The fields and arguments of a process may refer to the process; in the child that is the
 * process itself. Any other Process stays with the one that started it.
 *
 * @module
 */
import { PicklingError } from '@mp/pickle'
import { stateOf } from './state.js'

/** The module that gives the process in the child. */
const RUNNING_PROCESS = new URL('./running-process.cjs', import.meta.url).href

let sending: object | undefined

/** Runs `send`, in which `process` may be referred to. */
export function sendProcess<T>(process: object, send: () => T): T {
  const outer = sending
  sending = process
  try {
    return send()
  } finally {
    sending = outer
  }
}

/** How the serializer takes a Process apart. */
export function reduceProcess(process: object): { module: string; name: string; args: unknown[] } {
  if (process !== sending) {
    const { name } = stateOf(process)
    throw new PicklingError(
      `cannot send ${name}: a Process can be used only by the process that made it; ` +
        'send what the receiver needs of it, such as its name or pid',
      name,
    )
  }
  return { module: RUNNING_PROCESS, name: 'runningProcess', args: [] }
}
