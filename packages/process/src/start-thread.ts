/**
 * The start method `thread`: a worker thread of this process.
 *
 * Its end is seen by its slot, which is given up as the last thing of its environment; that
 * needs no event loop in the parent.
 *
 * @module
 */
import { type Lifeline, type Session, isDead, wrongType } from '@mp/shared-memory/internal'
import type { StdioOptions } from 'node:child_process'
import { constants } from 'node:os'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { reportError } from './report.js'
import type { Launch, Running } from './running.js'
import { StartError } from './start-error.js'
import { RECORD } from './start-record.js'
import { areGone, withNewThreads } from './thread-ids.js'
import type { ThreadStream } from './thread-output.js'
import { threadData, tokenFor } from './token.js'

const BOOTSTRAP = new URL('./bootstrap.cjs', import.meta.url)

/** Starts a thread; throws StartError when Node refuses. */
export function startThread(launch: Launch): Running {
  const { name, options } = launch
  if (options.cwd !== undefined) {
    throw new TypeError(
      `Expected no \`cwd\` for a thread, got \`${String(options.cwd)}\`: threads share that of their process`,
    )
  }
  const streams = threadStreams(options.stdio)
  // Without the addon: what tells of its end while this thread blocks, and tells everybody else.
  const lifeline = launch.session.native.bare?.openLine()
  const workerOptions: WorkerOptions = {
    name,
    workerData: threadData(tokenFor(launch, undefined), lifeline),
    ...(lifeline !== undefined && { transferList: [lifeline.line.port] }),
    stdin: streams[0] === 'pipe',
    // What it writes before it has redirected them must not reach ours.
    stdout: streams[1] !== 'inherit',
    stderr: streams[2] !== 'inherit',
  }
  if (options.resourceLimits !== undefined)
    workerOptions.resourceLimits = { ...options.resourceLimits } as WorkerOptions['resourceLimits']
  if (options.env !== undefined) workerOptions.env = options.env
  if (options.execArgv !== undefined) workerOptions.execArgv = [...options.execArgv]
  try {
    const { result, threads } = withNewThreads(() => new Worker(BOOTSTRAP, workerOptions))
    if (streams[1] === 'ignore') result.stdout.resume()
    if (streams[2] === 'ignore') result.stderr.resume()
    return new WorkerThread(result, { threads, lifeline }, streams, launch)
  } catch (cause) {
    lifeline?.cancel()
    throw new StartError(name, (cause as Error).message, { cause })
  }
}

/** How the three standard streams of a thread go: threads have no descriptors of their own. */
export function threadStreams(stdio: StdioOptions | undefined): ThreadStream[] {
  return [0, 1, 2].map((i) => {
    const given = (Array.isArray(stdio) ? stdio[i] : stdio) ?? 'inherit'
    if (given !== 'inherit' && given !== 'pipe' && given !== 'ignore') {
      throw wrongType(`stdio[${i}]`, "'inherit', 'pipe' or 'ignore' for a thread", given)
    }
    return given
  })
}

/** By what its end is noticed before it has joined the session. */
interface Traces {
  readonly threads: readonly string[]
  readonly lifeline: Lifeline | undefined
}

class WorkerThread implements Running {
  readonly pid: number = process.pid
  readonly stdin: Running['stdin']
  readonly stdout: Running['stdout']
  readonly stderr: Running['stderr']
  readonly #worker: Worker
  readonly #traces: Traces
  readonly #session: Session
  readonly #base: number
  #signal = 0
  /** Set when it has ended: its record is somebody else's by then. */
  #joined: boolean | undefined

  constructor(worker: Worker, traces: Traces, streams: readonly string[], launch: Launch) {
    this.#worker = worker
    this.#traces = traces
    traces.lifeline?.attach(worker)
    this.#session = launch.session
    this.#base = launch.record.base
    this.stdin = worker.stdin
    this.stdout = streams[1] === 'pipe' ? worker.stdout : null
    this.stderr = streams[2] === 'pipe' ? worker.stderr : null
    worker.on('error', (error: NodeJS.ErrnoException) => {
      // A thread says itself what ended it, unless it had not got that far or has no memory to.
      if (!this.#hasJoined() || error.code?.startsWith('ERR_WORKER_')) {
        reportError(launch.name, error)
      }
    })
    worker.on('exit', (code) => {
      if (this.#joined === undefined) launch.onEnd(this.#exitCode(code))
    })
  }

  poll(): number | null {
    const tag = this.#word(RECORD.child)
    const ended = tag === 0 ? this.#isGone() : isDead(this.#session.words, tag)
    return ended ? this.#exitCode(1) : null
  }

  isRunning(): boolean {
    return this.poll() === null
  }

  signal(signal: number): void {
    if (this.#signal === 0) this.#signal = signal
    if (signal === constants.signals.SIGKILL) this.#signal = signal
    void this.#worker.terminate()
  }

  ref(): void {
    this.#worker.ref()
  }

  unref(): void {
    this.#worker.unref()
  }

  release(): void {
    this.#joined = this.#hasJoined()
  }

  #isGone(): boolean {
    const { threads, lifeline } = this.#traces
    return lifeline?.isOver() === true || areGone(threads)
  }

  /** Whether it got as far as to join the session. */
  #hasJoined(): boolean {
    return this.#joined ?? this.#word(RECORD.child) !== 0
  }

  /** Its own exit code if it got to say one, else the signal that stopped it, else what is known otherwise. */
  #exitCode(otherwise: number): number {
    const exit = this.#word(RECORD.exit)
    if (exit !== 0) return exit - 1
    return this.#signal === 0 ? otherwise & 0xff : -this.#signal
  }

  #word(word: number): number {
    return Atomics.load(this.#session.words, this.#base + word)
  }
}
