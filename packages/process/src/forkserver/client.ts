/**
 * A fork server, seen from the thread whose children it makes. There is one for each such thread: the
 * children are that thread's own, as the kernel sees it, so they die with it and it waits for them.
 *
 * Nothing here waits for the event loop: `start()` returns with a process that exists.
 *
 * @module
 */
import type { Native, Session } from '@mp/shared-memory/internal'
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readSync } from 'node:fs'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { getSystemErrorName } from 'node:util'
import { CONTROL_FD, LOADED_FD, type Ready, type Request, type Settings } from './protocol.js'
import { KEPT_MS, Rhythm } from './rhythm.js'
import { Stock, awaitExit } from './stock.js'
import { serverEnv } from './surroundings.js'
import { compiledCode } from '../compile-cache.js'
import { diagnose } from '../start-error.js'

const SERVER = fileURLToPath(new URL('./server.cjs', import.meta.url))

/** How long a server may load modules; it is given up then. */
const LOADING_MS = 120_000
/** How long a server may take for a copy. It takes a millisecond, unless it is stopped. */
const COPYING_MS = 10_000
/** One slice of a wait: JavaScript runs in between, so that Ctrl-C and `terminate()` work. */
const SLICE_MS = 100
const READABLE = 1

/** Thrown when the server is gone, or does not answer: another one may do. */
export class ServerLost extends Error {}

/** Thrown when forking cannot work here. */
export class CannotFork extends Error {}

/** Thrown when the system refuses a process, server or copy: it may have one later. */
export class ProcessRefused extends Error {}

export class ForkServer {
  readonly #native: Native
  readonly #process: ChildProcess
  readonly #control: number
  readonly #stock: Stock
  readonly #rhythm = new Rhythm()
  #clearing: NodeJS.Timeout | undefined
  #isReady = false
  readonly #startedMs: number

  /**
   * Starts a server, without waiting for it.
   *
   * @throws ProcessRefused.
   */
  constructor(session: Session, flags: readonly string[], settings: Omit<Settings, 'isCached'>) {
    const { native } = session
    this.#native = native
    this.#startedMs = native.now()
    const ours: number[] = []
    const theirs: number[] = []
    try {
      for (let i = 0; i < 2; i++) {
        const [own, other] = native.forkPair(false)
        ours.push(own)
        theirs.push(other)
      }
      const [control, stock] = theirs
      this.#process = spawnServer(flags, settings, native.fd(), control, stock)
    } catch (error) {
      for (const fd of ours) native.forkClose(fd)
      throw error
    } finally {
      for (const fd of theirs) native.forkClose(fd)
    }
    const [control, stock] = ours
    this.#control = control
    this.#stock = new Stock(session, stock)
  }

  /** Whether `becomeReady` has nothing to wait for any more. */
  get isReady(): boolean {
    return this.#isReady
  }

  /**
   * Calls back from the event loop when `becomeReady` need not wait for long any more. Does not keep the event loop alive.
   */
  whenLoaded(callback: () => void): void {
    const pipe = this.#process.stdio[LOADED_FD] as Socket
    if (pipe.closed) {
      setImmediate(callback)
      return
    }
    const giveUp = setTimeout(done, LOADING_MS - (this.#native.now() - this.#startedMs)).unref()
    pipe.once('close', done)
    function done(): void {
      clearTimeout(giveUp)
      pipe.off('close', done)
      callback()
    }
  }

  /**
   * Waits until it is ready.
   *
   * @returns what it could not load, the first time.
   * @throws CannotFork when it says that it cannot be copied; ServerLost when it has ended.
   */
  becomeReady(): readonly string[] {
    if (this.#isReady) return []
    const { why, failures } = this.#awaitReady()
    if (why !== null) throw new CannotFork(why)
    this.#isReady = true
    return failures
  }

  /**
   * Asks for a copy, or for one in stock, and waits until it is there.
   *
   * CRASH: the kernel has written the pid before the copy runs, or one in stock has before it does anything for us; and
   * the socket for the answer closes when neither has it any more. So when that is closed there is a pid, and
   * then a child of ours, dead or alive; or there is none, and never will be.
   *
   * @throws ServerLost when there is no copy because the server is gone; ProcessRefused.
   */
  copy(session: Session, pidWord: number, request: Request, fds: readonly number[]): number {
    const { words } = session
    Atomics.store(words, pidWord, 0)
    const isInStock = this.#stock.hasOne()
    const isInRow = this.#rhythm.start(this.#native.now())
    const socket = isInStock ? this.#stock.socket : this.#control
    const [ours, theirs] = this.#native.forkPair(true)
    let answer: number | null | undefined
    try {
      if (isInStock) this.#stock.ask(pidWord)
      try {
        const all = [theirs, session.native.fd(), ...fds]
        this.#native.forkAsk(socket, pidWord, JSON.stringify(request), all)
      } catch (error) {
        if (isGone(error)) throw new ServerLost('it is gone')
        throw error
      } finally {
        this.#native.forkClose(theirs)
      }
      if (isInStock && isInRow) this.#replenish()
      answer = this.#awaitAnswer(ours, isInStock)
    } finally {
      this.#native.forkClose(ours)
      this.#stock.ask(undefined)
    }
    const pid = Atomics.load(words, pidWord)
    this.#stock.takeOut(pid)
    // SYNC: the server does one thing after the other, and has done this one. What it is asked for from here on is to come.
    if (!isInStock) this.#stock.isUpToDate()
    if (!isInStock && isInRow) this.#replenish()
    if (answer !== undefined && answer !== null && answer < 0) {
      if (pid !== 0) this.#takeAway(pid)
      throw new ProcessRefused(`the system refuses another process (${getSystemErrorName(answer)})`)
    }
    if (pid === 0) throw new ServerLost('it ended, or does not answer')
    return pid
  }

  /** Says that a copy has ended. */
  noteEnd(): void {
    this.#rhythm.end()
  }

  /** Has the server fill its stock, while everybody has something else to do. */
  #replenish(): void {
    this.#clearing ??= setTimeout(() => this.#clear(), KEPT_MS).unref()
    this.#clearing.refresh()
    try {
      for (const place of this.#stock.room()) {
        this.#native.forkStock(this.#control, place)
        this.#stock.expect(place)
      }
    } catch (error) {
      // A child has been asked for by now, which must not go unnoticed; what is wrong is found out by the next one.
      if (!isGone(error) && !isShort(error)) throw error
    }
  }

  #clear(): void {
    this.#stock.end()
    if (this.#stock.isExpected) this.#clearing?.refresh()
  }

  /** Ends the server, and what it has in stock; its other children live on. */
  end(): void {
    clearTimeout(this.#clearing)
    this.#native.forkClose(this.#control)
    this.#native.forkClose(this.#stock.socket)
    this.#process.kill('SIGKILL')
    const { pid, exitCode, signalCode } = this.#process
    if (pid !== undefined && exitCode === null && signalCode === null) awaitExit(this.#native, pid)
    this.#stock.end()
  }

  #awaitReady(): Ready {
    const leftMs = LOADING_MS - (this.#native.now() - this.#startedMs)
    if (this.#awaitReadable(this.#control, Math.max(0, leftMs))) {
      const text = Buffer.alloc(1 << 16)
      const length = readSync(this.#control, text)
      if (length > 0) return JSON.parse(text.toString('utf8', 0, length)) as Ready
    }
    throw new ServerLost('it ended, or was not ready in time')
  }

  /**
   * What is answered; null when nobody is left who could; undefined when time is up, or what was in stock has ended
   * before it heard of it.
   */
  #awaitAnswer(fd: number, isInStock: boolean): number | null | undefined {
    const answer = Buffer.alloc(4)
    const isHopeless = () => isInStock && !this.#stock.hasOne()
    // Whether it is stopped or has lost its mind: killed, it lets go of what it has of ours.
    if (!this.#awaitReadable(fd, COPYING_MS, isHopeless)) return undefined
    return readSync(fd, answer) === 4 ? answer.readInt32LE() : null
  }

  /** Looks once more after it has become hopeless: what was said before still counts. */
  #awaitReadable(fd: number, timeoutMs: number, isHopeless?: () => boolean): boolean {
    const native = this.#native
    let isLast = false
    for (const end = native.now() + timeoutMs; ;) {
      const left = isLast ? 0 : end - native.now()
      if (native.poll(fd, READABLE, Math.min(SLICE_MS, Math.max(0, left))) !== 0) return true
      if (left <= 0) return false
      isLast = isHopeless?.() === true
    }
  }

  /** Waits for a copy that could not become a whole process; it ends at once. */
  #takeAway(pid: number): void {
    awaitExit(this.#native, pid)
    this.#native.reap(pid)
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EPIPE' || code === 'ECONNRESET'
}

/** Of memory, or of descriptors that may be on their way. */
function isShort(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  return ['ENOMEM', 'ENOBUFS', 'ETOOMANYREFS', 'EMFILE', 'ENFILE'].includes(code)
}

function spawnServer(
  flags: readonly string[],
  settings: Omit<Settings, 'isCached'>,
  session: number,
  control: number,
  stock: number,
): ChildProcess {
  // libuv opens nothing where it is to ignore one of these.
  const nothing = openSync('/dev/null', 'r')
  try {
    const places = Array.from({ length: CONTROL_FD - LOADED_FD - 1 }, () => nothing)
    const { modules: cache } = compiledCode(process.env, flags)
    const argument = JSON.stringify({ ...settings, isCached: cache !== '' } satisfies Settings)
    const child = spawn(process.execPath, [...flags, SERVER, argument], {
      stdio: ['ignore', 'inherit', 'inherit', session, 'pipe', ...places, control, stock],
      env: { ...serverEnv(), ...(cache !== '' && { NODE_COMPILE_CACHE: cache }) },
    })
    // It says so again as an event.
    child.on('error', () => {})
    if (child.pid === undefined) throw new ProcessRefused(diagnose(undefined))
    child.unref()
    // Nothing comes: it is closed when the server closes it.
    ;(child.stdio[LOADED_FD] as Socket)
      .on('error', () => {})
      .unref()
      .resume()
    return child
  } finally {
    closeSync(nothing)
  }
}
