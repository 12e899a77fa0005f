/**
 * The most sudden end that an agent can have: between two instructions, and nothing of it runs afterwards.
 *
 * @module
 */
import { isMainThread } from 'node:worker_threads'

/** Ends this process by SIGKILL, or, in a thread, the thread: without its `exit` event, and no `finally` runs. */
export function dieNow(): never {
  if (isMainThread) process.kill(process.pid, 'SIGKILL')
  else (process as unknown as { reallyExit(code: number): void }).reallyExit(9)
  // A signal may come an instant later.
  for (;;);
}
