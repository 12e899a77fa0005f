/**
 * The error of a child that does not start.
 *
 * @module
 */
import { MultiprocessingError } from '@mp/shared-memory/internal'
import { closeSync, openSync, statSync } from 'node:fs'

/** Thrown when the operating system or Node refuses to start a child; nothing runs then. */
export class StartError extends MultiprocessingError {
  constructor(name: string, why: string, options?: ErrorOptions) {
    super('ERR_MP_START', `Cannot start ${name}: ${why}`, options)
  }
}

/**
 * Finds out why `child_process.spawn` got no process: it keeps the reason to itself until the
 * event loop turns, and the caller should not have to wait for that.
 */
export function diagnose(cwd: string | URL | undefined): string {
  try {
    if (cwd !== undefined && !statSync(cwd).isDirectory()) {
      return `its working directory ${String(cwd)} is not a directory`
    }
    statSync(process.execPath)
    closeSync(openSync('/dev/null', 'r'))
  } catch (error) {
    return (error as Error).message
  }
  return 'the system refuses another process or its pipes (EAGAIN, EMFILE, ENOMEM or EACCES); see ulimit -u and -n'
}
