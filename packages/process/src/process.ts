/**
 * `Process`: a function of the program, run in another process or thread.
 *
 * The object is the parent's view of a child; in the child, the same class is the child's
 * view of itself. After CPython's `multiprocessing/process.py`.
 *
 * @module
 */
import {
  MultiprocessingError,
  type Sentinel,
  type WaitOptions,
  checkWaitOptions,
  reduceSymbol,
  throwIfAborted,
  waitableSymbol,
} from '@mp/shared-memory/internal'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { type TerminateOptions, checkGrace, killLater } from './grace.js'
import { assertEnded, blockUntilEnd, endOf, listen, look, waitForEnd } from './ending.js'
import { defaultName } from './names.js'
import {
  type ProcessOptions,
  type StartMethod,
  checkDaemon,
  checkName,
  checkOptions,
} from './options.js'
import { reduceProcess } from './self-reference.js'
import { checkStartMethod } from './start-method.js'
import { startProcess } from './start.js'
import {
  type ProcessState,
  type Target,
  current,
  markStock,
  openState,
  setState,
  startedState,
  stateOf,
} from './state.js'

/**
 * A function of the program, run in another process or thread.
 *
 * Everything it needs travels: the function by reference or by value, the arguments by value,
 * locks, queues and the like as the same shared objects.
 *
 * @example
 * const child = new Process({ target: (name: string) => console.log(`hello ${name}`), args: ['Bob'] })
 * child.start()
 * await child.join() // 0
 */
export class Process<F extends Target = () => unknown> {
  /** The start method of all processes of this class; undefined: see `setStartMethod()`. */
  static readonly startMethod: StartMethod | undefined = undefined

  /**
   * Describes a process; `start()` starts it.
   *
   * @throws TypeError, RangeError for an option of a wrong type or value.
   */
  constructor(options: ProcessOptions<F> = {}) {
    checkOptions(options)
    const { target, args, name, daemon, startMethod, env, cwd, execArgv, stdio, resourceLimits } =
      options
    if (startMethod !== undefined) checkStartMethod('startMethod', startMethod)
    const identity = [...current.state.identity, ++current.made]
    setState(this, {
      kind: 'child',
      name: name ?? defaultName(new.target.name, identity),
      daemon: daemon ?? current.state.daemon,
      identity,
      target,
      args: args ?? [],
      startMethod: startMethod ?? new.target.startMethod,
      options: { env, cwd, execArgv, stdio, resourceLimits },
      running: undefined,
      record: undefined,
      exitCode: null,
      closed: false,
      listeners: new Set(),
      waiting: 0,
    })
  }

  /**
   * Starts the child, once, and returns without waiting for it.
   *
   * @throws PicklingError when the target, an argument or a field cannot be sent; nothing is started then.
   * @throws StartError (`ERR_MP_START`) when the system refuses.
   * @throws MultiprocessingError `ERR_MP_STARTED` the second time, `ERR_MP_DAEMON` in a daemon.
   */
  start(): this {
    startProcess(this, unstarted(this, 'start'))
    return this
  }

  /**
   * What the child does: calls the target. Override it in a subclass; a promise is waited for.
   *
   * The child's instance has the own enumerable fields of this one; its constructor does not run.
   */
  run(): unknown {
    const { target, args } = openState(this)
    return target?.(...(args as never[]))
  }

  /**
   * Waits until the child has ended. Any number of times.
   *
   * @returns the exit code (`-N`: killed by signal N), or null when `timeout` (milliseconds) passes first.
   * @throws the signal's reason when it aborts.
   */
  async join(options?: WaitOptions): Promise<number | null> {
    const timeoutMs = checkWaitOptions(options)
    const state = startedState(this, 'join')
    throwIfAborted(options)
    const exitCode = look(state)
    if (exitCode !== null || timeoutMs <= 0) return exitCode
    return waitForEnd(state, timeoutMs, options?.signal)
  }

  /**
   * Blocks this thread until the child has ended.
   *
   * A process that writes much to a stream that is to be read here (`stdio: 'pipe'`) waits for that
   * and does not end.
   *
   * @returns the exit code (`-N`: killed by signal N), or null when `timeout` (milliseconds) passes first.
   */
  joinSync(options?: WaitOptions): number | null {
    const timeoutMs = checkWaitOptions(options)
    const state = startedState(this, 'join')
    throwIfAborted(options)
    return blockUntilEnd(state, timeoutMs)
  }

  /** Tells whether it has been started and has not ended. */
  isAlive(): boolean {
    const state = openState(this)
    if (state.kind === 'self') return true
    if (state.running === undefined || look(startedState(this, 'look at')) !== null) return false
    return state.running.isRunning()
  }

  /**
   * Asks the child to end (SIGTERM), and kills it when it still runs after a while; a thread is stopped.
   * Does nothing after its end.
   */
  terminate(options?: TerminateOptions): void {
    const graceMs = checkGrace(options)
    signal(this, 'terminate', constants.signals.SIGTERM)
    killLater(startedState(this, 'terminate'), graceMs)
  }

  /** Ends the child at once (SIGKILL); a thread is stopped. Does nothing after its end. */
  kill(): void {
    signal(this, 'kill', constants.signals.SIGKILL)
  }

  /** Interrupts the child as Ctrl-C does (SIGINT); a thread is stopped. Does nothing after its end. */
  interrupt(): void {
    signal(this, 'interrupt', constants.signals.SIGINT)
  }

  /**
   * Lets go of the child: from here on only `name` and `closed` can be used. A second call does nothing.
   *
   * @throws MultiprocessingError (`ERR_MP_ALIVE`) while it runs.
   */
  close(): void {
    const state = stateOf(this)
    if (state.kind === 'self') startedState(this, 'close')
    if (state.running !== undefined && !state.closed) assertEnded(startedState(this, 'close'))
    state.closed = true
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return stateOf(this).closed
  }

  /** The name, for people; can be set until the start. */
  get name(): string {
    return stateOf(this).name
  }

  set name(name: string) {
    checkName(name)
    unstarted(this, 'rename').name = name
  }

  /** Whether it ends with its parent, instead of being waited for; can be set until the start. */
  get daemon(): boolean {
    return openState(this).daemon
  }

  set daemon(daemon: boolean) {
    checkDaemon(daemon)
    unstarted(this, 'change').daemon = daemon
  }

  /** The process id; that of this process for a thread; undefined before the start. */
  get pid(): number | undefined {
    const state = openState(this)
    return state.kind === 'self' ? process.pid : state.running?.pid
  }

  /** How it ended: its exit code, `-N` when signal N killed it; null before the end. */
  get exitCode(): number | null {
    const state = openState(this)
    return state.running === undefined ? null : look(startedState(this, 'look at'))
  }

  /** The child's standard input, when `stdio` says `'pipe'`. */
  get stdin(): Writable | null {
    return openState(this).running?.stdin ?? null
  }

  /** The child's standard output, when `stdio` says `'pipe'`. */
  get stdout(): Readable | null {
    return openState(this).running?.stdout ?? null
  }

  /** The child's standard error, when `stdio` says `'pipe'`. */
  get stderr(): Readable | null {
    return openState(this).running?.stderr ?? null
  }
}

markStock(Process)

// Outside the class because its declaration is for users, and these are not.
Object.defineProperties(Process.prototype, {
  [waitableSymbol]: {
    value(this: object): Sentinel {
      const state = startedState(this, 'wait for')
      return {
        ready: () => look(state) !== null,
        onReady: (callback) => listen(state, true, callback),
        waitable: () => endOf(state),
      }
    },
  },
  [reduceSymbol]: {
    value(this: object) {
      return reduceProcess(this)
    },
  },
})

// Functions, not private methods: an instance revived in the child has never been constructed.

function unstarted(process: object, what: string): ProcessState {
  const state = openState(process)
  if (state.kind === 'self' || state.running !== undefined) {
    throw new MultiprocessingError(
      'ERR_MP_STARTED',
      `Cannot ${what} ${state.name}: it has been started`,
    )
  }
  return state
}

function signal(process: object, what: string, number: number): void {
  const state = startedState(process, what)
  if (look(state) === null) state.running.signal(number)
}
