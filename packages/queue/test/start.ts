/** Starts the children of tests, in either way; what still runs when a test ends is killed. */
import { Process, type StartMethod } from '@mp/process'
import { isBareRun } from 'mp-internal'
import { afterEach } from 'vitest'

const running: Process<never>[] = []

export function start<A extends unknown[]>(
  startMethod: StartMethod,
  target: (...args: A) => unknown,
  ...args: A
): Process<never> {
  // Where there are no processes, threads take their place.
  if (isBareRun) startMethod = 'thread'
  const child = new Process({ target: target as never, args: args as never, startMethod }).start()
  running.push(child)
  return child
}

afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill()
    await child.join()
  }
})
