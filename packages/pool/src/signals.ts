/**
 * Calls tasks off when their signals abort.
 *
 * One listener for all tasks with a signal: more than ten of them would look like a leak to Node.
 *
 * @module
 */
import type { Task } from './task.js'

export class Signals {
  readonly #callOff: (task: Task, error: unknown) => void
  readonly #listening = new Map<AbortSignal, { tasks: Set<Task>; onAbort: () => void }>()

  constructor(callOff: (task: Task, error: unknown) => void) {
    this.#callOff = callOff
  }

  listen(task: Task, signal: AbortSignal): void {
    const known = this.#listening.get(signal)
    if (known !== undefined) return void known.tasks.add(task)
    const tasks = new Set([task])
    const onAbort = (): void => {
      for (const one of tasks) this.#callOff(one, signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#listening.set(signal, { tasks, onAbort })
  }

  unlisten(task: Task, signal: AbortSignal): void {
    const known = this.#listening.get(signal)
    if (known === undefined || !known.tasks.delete(task) || known.tasks.size > 0) return
    signal.removeEventListener('abort', known.onAbort)
    this.#listening.delete(signal)
  }
}
