/**
 * What pools throw.
 *
 * @module
 */
import { constants } from 'node:os'
import { MultiprocessingError } from '@mp/shared-memory/internal'

/** Thrown when the worker that ran a task ended before it had a result. */
export class WorkerLostError extends MultiprocessingError {
  /** The worker's process id. */
  readonly pid: number | undefined
  /** Its exit code; -N when signal N killed it. */
  readonly exitCode: number | null
  /** The name of the signal that killed it, or null. */
  readonly signal: string | null
  /** What it ran, as text. */
  readonly task: string
  /** Whether it probably had no memory left: a guess from how it ended. */
  readonly outOfMemory: boolean

  constructor(
    task: string,
    pid: number | undefined,
    exitCode: number | null,
    outOfMemory: boolean = false,
  ) {
    const signal = signalName(exitCode)
    const end = signal === null ? `exit code ${exitCode}` : `signal ${signal}`
    const guess = outOfMemory ? ', probably out of memory' : ''
    super(
      'ERR_MP_WORKER_LOST',
      `The worker (pid ${pid}) ended with ${end}${guess} while it ran ${task}`,
    )
    this.pid = pid
    this.exitCode = exitCode
    this.signal = signal
    this.task = task
    this.outOfMemory = outOfMemory
  }
}

/** Thrown by results that were pending when the pool was terminated. */
export class PoolTerminatedError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_POOL_TERMINATED', 'The pool was terminated before this task had a result')
  }
}

/** Thrown when a task is given to a pool that was closed or terminated. */
export class PoolClosedError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_POOL_CLOSED', 'The pool is closed; it takes no more tasks')
  }
}

/** Thrown when a task is given to a pool in which `maxQueued` tasks wait already. */
export class PoolFullError extends MultiprocessingError {
  constructor(most: number) {
    super(
      'ERR_MP_POOL_FULL',
      `As many tasks as may wait (maxQueued: ${most}) wait already; wait for pool.room() before`,
    )
  }
}

/** Thrown by every task of a pool whose workers cannot start; `cause` says why. */
export class PoolBrokenError extends MultiprocessingError {
  constructor(message: string, cause: unknown) {
    super('ERR_MP_POOL_BROKEN', message, { cause })
  }
}

function signalName(exitCode: number | null): string | null {
  if (exitCode === null || exitCode >= 0) return null
  const found = Object.entries(constants.signals).find(([, number]) => number === -exitCode)
  return found?.[0] ?? `${-exitCode}`
}
