/**
 * The start method `forkserver`: a copy of a process that has everything loaded.
 *
 * The copy is a child of this process like any other: its pid, its exit status and its death are the
 * kernel's to tell. Only libuv does not know it. What a copy cannot have (other flags, other variables
 * that Node reads at its start) is started by `spawn`.
 *
 * @module
 */
import type { Native, Session } from '@mp/shared-memory/internal'
import { statSync } from 'node:fs'
import { Socket } from 'node:net'
import { inheritedExecArgv } from './exec-argv.js'
import { ProcessRefused } from './forkserver/client.js'
import {
  copyByServer,
  mayCopy,
  noteEnd,
  prepareServer,
  whenServerHasLoaded,
} from './forkserver/current.js'
import { forgetExit, holdLoop, listenForExit } from './forkserver/exits.js'
import { MAX_OWN_FDS } from './forkserver/protocol.js'
import { type ChildStreams, openStreams } from './forkserver/child-streams.js'
import { atStart } from './forkserver/surroundings.js'
import type { LaunchOptions } from './options.js'
import type { Launch, Running } from './running.js'
import { StartError } from './start-error.js'
import { RECORD } from './start-record.js'
import { startSpawn } from './start-spawn.js'
import { SESSION_FD, tokenFor } from './token.js'

/** Starts a process; throws StartError when the system refuses. */
export function startForkserver(launch: Launch): Running {
  const { name, options, session, record } = launch
  if (!canBeCopy(options)) return startSpawn(launch)
  checkDirectory(name, options.cwd)
  try {
    if (!mayCopy(session.native)) return startSpawn(launch)
  } catch (error) {
    throw asStartError(name, error)
  }
  const token = tokenFor(launch, SESSION_FD)
  const streams = openStreams(session.native, name, options.stdio)
  let pid: number | null = null
  try {
    pid = copyByServer(session, record.base + RECORD.pid, { token }, streams.fds)
  } catch (error) {
    throw asStartError(name, error)
  } finally {
    streams.closeTheirs()
    if (pid === null) streams.closeOurs()
  }
  return pid === null ? startSpawn(launch) : new ForkedProcess(pid, streams, launch)
}

/** What the system refuses is no fault of the program. */
function asStartError(name: string, error: unknown): unknown {
  if (error instanceof ProcessRefused) return new StartError(name, error.message)
  const { code, message } = error as NodeJS.ErrnoException
  const isRefused = code === 'EMFILE' || code === 'ENFILE' || code === 'EBADF'
  return isRefused ? new StartError(name, message) : error
}

/** Starts the server that `startForkserver` will need with these options. */
export function prepareForkserver(options: LaunchOptions, session: Session): void {
  if (canBeCopy(options)) prepareServer(session)
}

/**
 * Does so, and calls back from the event loop when a start need not wait for it any more.
 *
 * @returns false where a start need not wait for a server now; nobody calls back then.
 */
export function awaitForkserver(session: Session, callback: () => void): boolean {
  prepareServer(session)
  return whenServerHasLoaded(callback)
}

function canBeCopy({ execArgv, env, resourceLimits, stdio }: LaunchOptions): boolean {
  // Of the engine as it starts: a copy has those of its server.
  if (resourceLimits !== undefined) return false
  if (Array.isArray(stdio) && stdio.length > MAX_OWN_FDS) return false
  if (env !== undefined && atStart(env) !== atStart(process.env)) return false
  return execArgv === undefined || JSON.stringify(execArgv) === JSON.stringify(inheritedExecArgv())
}

function checkDirectory(name: string, cwd: string | URL | undefined): void {
  if (cwd === undefined) return
  try {
    if (statSync(cwd).isDirectory()) return
  } catch (cause) {
    throw new StartError(name, (cause as Error).message, { cause })
  }
  throw new StartError(name, `its working directory ${String(cwd)} is not a directory (ENOTDIR)`)
}

class ForkedProcess implements Running {
  readonly pid: number
  readonly stdin: Running['stdin']
  readonly stdout: Running['stdout']
  readonly stderr: Running['stderr']
  readonly #native: Native
  readonly #session: Session
  readonly #exitWord: number
  /** Our ends of further pipes, which have no streams. */
  readonly #further: readonly (number | undefined)[]

  constructor(pid: number, streams: ChildStreams, launch: Launch) {
    const { session, record } = launch
    this.pid = pid
    this.#session = session
    this.#native = session.native
    this.#exitWord = record.base + RECORD.exit
    const [stdin, stdout, stderr, ...further] = streams.ours
    this.#further = further
    this.stdin = streamOf(stdin, 'writable')
    this.stdout = streamOf(stdout, 'readable')
    this.stderr = streamOf(stderr, 'readable')
    // Never unwatched: it ends when everybody has heard that nothing of the child is left.
    session.deathWatch.watch(pid)
    listenForExit(this.#native, pid, () => {
      const exitCode = this.poll()
      if (exitCode !== null) launch.onEnd(exitCode)
    })
  }

  poll(): number | null {
    try {
      const exit = this.#native.waitExit(this.pid, 0)
      return exit === null ? null : (exit.code ?? -(exit.signal as number))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECHILD') throw error
      // Somebody else (an addon's `waitpid(-1)`) has taken its exit status.
      return this.#recorded()
    }
  }

  isRunning(): boolean {
    return this.poll() === null
  }

  signal(signal: number): void {
    // Not waited for: the pid is its own.
    process.kill(this.pid, signal)
  }

  ref(): void {
    holdLoop(this.#native, this.pid, true)
  }

  unref(): void {
    holdLoop(this.#native, this.pid, false)
  }

  release(): void {
    noteEnd()
    forgetExit(this.#native, this.pid)
    for (const fd of this.#further) if (fd !== undefined) this.#native.forkClose(fd)
    try {
      this.#native.reap(this.pid)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECHILD') throw error
    }
  }

  /** What the child itself has said at its end. */
  #recorded(): number {
    const exit = Atomics.load(this.#session.words, this.#exitWord)
    return exit === 0 ? UNKNOWN : exit - 1
  }
}

/** The exit code of a child whose exit status nobody knows. */
const UNKNOWN = 255

function streamOf(fd: number | undefined, use: 'readable' | 'writable'): Socket | null {
  if (fd === undefined) return null
  return new Socket({ fd, readable: use === 'readable', writable: use === 'writable' })
}
