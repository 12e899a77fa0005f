/**
 * The start method `spawn`: a new process of this Node.
 *
 * It inherits the session's file as descriptor 3, and finds its start record by a token on its
 * command line.
 *
 * @module
 */
import type { Native, Session } from '@mp/shared-memory/internal'
import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { compiledCode } from './compile-cache.js'
import { inheritedExecArgv, limitFlags } from './exec-argv.js'
import type { Launch, Running } from './running.js'
import { StartError, diagnose } from './start-error.js'
import { RECORD } from './start-record.js'
import { SESSION_FD, tokenFor } from './token.js'

/** Built by `scripts/bundle-child.mjs`, for a short start; it runs what that makes of `bootstrap.js` and all that this needs. */
const BOOTSTRAP = fileURLToPath(new URL('./child.cjs', import.meta.url))

/** Starts a process; throws StartError when the system refuses. */
export function startSpawn(launch: Launch): Running {
  const { name, options, session } = launch
  const token = tokenFor(launch, SESSION_FD)
  const flags = [
    ...(options.execArgv ?? inheritedExecArgv()),
    ...limitFlags(options.resourceLimits),
  ]
  const spawnOptions: SpawnOptions = { stdio: slots(options.stdio, session.native.fd()) }
  if (options.cwd !== undefined) spawnOptions.cwd = options.cwd
  const env = options.env ?? process.env
  const { modules, ours } = compiledCode(env, flags)
  // Node looks there before it loads the child's file, which takes the variable away.
  if (modules !== '') spawnOptions.env = { ...env, NODE_COMPILE_CACHE: modules }
  else if (options.env !== undefined) spawnOptions.env = options.env
  let child: ChildProcess
  try {
    child = spawn(
      process.execPath,
      [...flags, BOOTSTRAP, token, session.native.path, modules === '' ? '' : 'cached', ours],
      spawnOptions,
    )
  } catch (cause) {
    throw new StartError(name, (cause as Error).message, { cause })
  }
  if (child.pid === undefined) {
    // It says so again as an event; we have told the caller by then.
    child.on('error', () => {})
    throw new StartError(name, diagnose(options.cwd))
  }
  return new SpawnedProcess(child, child.pid, launch)
}

/** The child's descriptors: the three standard streams, the session, then what the user gave beyond. */
function slots(stdio: StdioOptions | undefined, sessionFd: number): StdioOptions {
  const given = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio]
  const standard = [0, 1, 2].map((i) => given[i] ?? 'inherit')
  return [...standard, sessionFd, ...given.slice(3)] as StdioOptions
}

class SpawnedProcess implements Running {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #session: Session
  readonly #exitWord: number
  #error: Error | undefined

  constructor(child: ChildProcess, pid: number, launch: Launch) {
    this.#child = child
    this.pid = pid
    this.#session = launch.session
    // Never unwatched: it ends when everybody has heard that nothing of the child is left.
    launch.session.deathWatch.watch(pid)
    this.#exitWord = launch.record.base + RECORD.exit
    child.on('exit', () => launch.onEnd(this.#told() as number))
    child.on('error', (error) => {
      this.#error = error
    })
  }

  get stdin(): Running['stdin'] {
    return this.#child.stdin
  }

  get stdout(): Running['stdout'] {
    return this.#child.stdout
  }

  get stderr(): Running['stderr'] {
    return this.#child.stderr
  }

  poll(last: boolean): number | null {
    const told = this.#told()
    if (told !== null) return told
    const exit = this.#waitExit()
    if (exit === 'taken') return last ? this.#recorded() : null
    return exit === null ? null : (exit.code ?? -(exit.signal as number))
  }

  isRunning(): boolean {
    return this.#told() === null && this.#waitExit() === null
  }

  signal(signal: number): void {
    this.#error = undefined
    // It keeps the process id to itself from when it is free for others; an error is emitted at once.
    this.#child.kill(signal)
    const error = this.#error as Error | undefined
    if (error !== undefined) throw error
  }

  ref(): void {
    this.#child.ref()
  }

  unref(): void {
    this.#child.unref()
  }

  release(): void {}

  /** What the event loop has told. */
  #told(): number | null {
    const { exitCode, signalCode } = this.#child
    return signalCode === null ? exitCode : -constants.signals[signalCode]
  }

  /** What the child itself has said at its end; of one that was killed, nobody can say any more by which signal. */
  #recorded(): number {
    const exit = Atomics.load(this.#session.words, this.#exitWord)
    return exit === 0 ? UNKNOWN : exit - 1
  }

  /** `taken`: by the event loop, which will tell, or by somebody else (an addon's `waitpid(-1)`). */
  #waitExit(): ReturnType<Native['waitExit']> | 'taken' {
    try {
      return this.#session.native.waitExit(this.pid, 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECHILD') throw error
      return 'taken'
    }
  }
}

/** The exit code of a child whose exit status nobody knows. */
const UNKNOWN = 255
