/**
 * Waiting for the end of a pool.
 *
 * @module
 */
import {
  TimeoutError,
  type WaitOptions,
  checkWaitOptions,
  throwIfAborted,
} from '@mp/shared-memory/internal'
import type { PoolClient } from './client/pool-client.js'
import { PoolEngine } from './pool-engine.js'
import { sleepUntil } from './sleep-until.js'

/** How often it looks for ends besides hearing of them. */
const LOOK_MS = 1000

export async function joinEngine(
  engine: PoolEngine | PoolClient,
  options: WaitOptions | undefined,
): Promise<void> {
  const timeoutMs = checkWaitOptions(options)
  throwIfAborted(options)
  engine.checkEnding()
  // Daemons do not keep this process alive, but who joins them waits for them.
  const keepAlive = setInterval(
    () => engine instanceof PoolEngine && engine.crew.checkAll(),
    LOOK_MS,
  )
  try {
    const { ends } = engine
    const isInTime = await sleepUntil(timeoutMs, options?.signal, (wake) => void ends.then(wake))
    if (!isInTime) throw new TimeoutError(`The workers have not ended within ${timeoutMs} ms`)
  } finally {
    clearInterval(keepAlive)
  }
}
