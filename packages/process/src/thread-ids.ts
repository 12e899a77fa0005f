/**
 * The native threads of this process, so that a worker that ends before it could join the session
 * is noticed by a parent that blocks: Node tells only its event loop.
 *
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'

const DIRECTORY = '/proc/self/task'

function threadIds(): string[] {
  return existsSync(DIRECTORY) ? readdirSync(DIRECTORY) : []
}

/** Runs `start`, and returns with its result the threads that are new since. */
export function withNewThreads<T>(start: () => T): { result: T; threads: string[] } {
  const before = new Set(threadIds())
  const result = start()
  return { result, threads: threadIds().filter((id) => !before.has(id)) }
}

/** Whether these threads are gone, all of them: another may have started at the same time. False where nobody knows. */
export function areGone(threads: readonly string[]): boolean {
  return existsSync(DIRECTORY) && threads.every((id) => !existsSync(`${DIRECTORY}/${id}`))
}
