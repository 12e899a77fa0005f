/**
 * The copy that a fork server has made before it is asked for, seen from the thread whose child it is.
 *
 * @module
 */
import { type Native, SLOT, type Session, slotWord, tagSlot } from '@mp/shared-memory/internal'

/** How long something may take to end that has been killed. It takes milliseconds, unless the kernel holds it. */
const ENDING_MS = 5_000
/** One slice of a wait: JavaScript runs in between, so that Ctrl-C and `terminate()` work. */
const SLICE_MS = 100

/**
 * CRASH: the kernel writes its pid into the thread's slot before it runs. Only the thread takes it out: of a copy that has
 * become a child, or one that it has let go of. So it knows of each, whoever is killed when.
 */
export class Stock {
  /** Where the kernel writes its pid. */
  readonly word: number
  /** By what it is asked. */
  readonly socket: number
  readonly #native: Native
  readonly #words: Int32Array
  readonly #session: Session
  #isLearning = false

  constructor(session: Session, socket: number) {
    const { native, words, agent } = session
    this.#session = session
    this.#native = native
    this.#words = words
    this.word = slotWord(tagSlot(agent.tag)) + SLOT.stock
    this.socket = socket
  }

  /** Says that the next one is not to be asked: it only sees what memory others take. */
  learn(): void {
    this.#isLearning = true
  }

  /** Its pid; 0 when there is none. */
  pid(): number {
    return this.isMissing() || this.#isLearning ? 0 : Atomics.load(this.#words, this.word)
  }

  /** Whether another one can be made. One that has ended, or that somebody has killed, is let go of. */
  isMissing(): boolean {
    const pid = Atomics.load(this.#words, this.word)
    if (pid === 0) return true
    if (isRunning(this.#native, pid)) return false
    this.#letGo(pid)
    return true
  }

  /** Says that it is a child like any other now, if it is this one. */
  takeOut(child: number): void {
    Atomics.compareExchange(this.#words, this.word, child, 0)
  }

  /** Ends it. Its server must have ended: that may be making one. */
  end(): void {
    if (this.isMissing()) return
    const pid = Atomics.load(this.#words, this.word)
    process.kill(pid, 'SIGKILL')
    awaitExit(this.#native, pid)
    this.#letGo(pid)
  }

  #letGo(pid: number): void {
    try {
      this.#native.reap(pid)
    } catch (error) {
      throwUnlessGone(error)
    }
    Atomics.store(this.#words, this.word, 0)
    // It may have had a place in the session for a moment.
    if (this.#isLearning) this.#session.reaper.reapAll()
    this.#isLearning = false
  }
}

/** Waits for a child that has been killed, or ends by itself at once. */
export function awaitExit(native: Native, pid: number): void {
  const end = native.now() + ENDING_MS
  while (isRunning(native, pid, SLICE_MS) && native.now() < end);
}

/** Whether a child still runs, after a while. */
export function isRunning(native: Native, pid: number, waitMs = 0): boolean {
  try {
    return native.waitExit(pid, waitMs) === null
  } catch (error) {
    throwUnlessGone(error)
    return false
  }
}

/** Somebody else (an addon's `waitpid(-1)`) may have taken its exit status. */
function throwUnlessGone(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ECHILD') throw error
}
