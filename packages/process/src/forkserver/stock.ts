/**
 * The copies that a fork server has made before they are asked for, seen from the thread whose children they are. There are
 * some while children are started one after the other, and none when that is over.
 *
 * @module
 */
import {
  type Native,
  SLOT,
  STOCK_WORDS,
  type Session,
  slotWord,
  tagSlot,
} from '@mp/shared-memory/internal'

/** How long something may take to end that has been killed. It takes milliseconds, unless the kernel holds it. */
const ENDING_MS = 5_000
/** One slice of a wait: JavaScript runs in between, so that Ctrl-C and `terminate()` work. */
const SLICE_MS = 100

/**
 * CRASH: the kernel writes the pid of each into the thread's slot before it runs. Only the thread takes pids out: of a copy
 * that has become a child, and of one that it has let go of. So it knows all of them, whoever is killed when.
 */
export class Stock {
  /** By what they are asked; whoever is there first takes it. */
  readonly socket: number
  readonly #session: Session
  /** Words of the slot. */
  readonly #places: readonly number[]
  /** The word for the pid of a copy that somebody waits for. */
  #pidWord: number | undefined
  /** Where those are to be that the server has been asked to make. */
  readonly #expected = new Set<number>()

  constructor(session: Session, socket: number) {
    const first = slotWord(tagSlot(session.agent.tag)) + SLOT.stock
    this.#session = session
    this.#places = Array.from({ length: STOCK_WORDS }, (_, i) => first + i)
    this.socket = socket
  }

  /** Whether there is one to ask. Those that have ended, or that somebody has killed, are let go of. */
  hasOne(): boolean {
    this.#look()
    return this.#places.some((place) => this.#pid(place) !== 0)
  }

  /** Says that one is asked, which writes its pid there; undefined: that none is any more. */
  ask(pidWord: number | undefined): void {
    this.#pidWord = pidWord
  }

  /** Where others can be. */
  room(): number[] {
    this.#look()
    return this.#places.filter((place) => this.#pid(place) === 0 && !this.#expected.has(place))
  }

  /** Says that the server will make one. */
  expect(place: number): void {
    this.#expected.add(place)
  }

  /** Says that the server has done all that it was asked to before; it may have been refused a process. */
  isUpToDate(): void {
    this.#expected.clear()
  }

  /** Says that a copy is a child like any other now, if it was one of these. */
  takeOut(child: number): void {
    for (const place of this.#places) {
      if (Atomics.compareExchange(this.#session.words, place, child, 0) !== child) continue
      // One that has just been made may be the first to read.
      this.#expected.delete(place)
    }
  }

  /** Whether the server has been asked to make one that is not there yet. */
  get isExpected(): boolean {
    return this.#expected.size > 0
  }

  /** Ends those that are there; another may come while their server lives. */
  end(): void {
    this.#look()
    const pids = this.#places.map((place) => this.#pid(place)).filter((pid) => pid !== 0)
    for (const pid of pids) killIfMay(pid)
    for (const pid of pids) awaitExit(this.#session.native, pid)
    // One that the kernel holds for longer is let go of later.
    this.#look()
  }

  #look(): void {
    for (const place of this.#places) {
      const pid = this.#pid(place)
      if (pid === 0) continue
      this.#expected.delete(place)
      // SYNC: first whether it has ended: who has not said by then that it is the child never will. How a child has ended
      // is for whoever waits for it.
      if (!isRunning(this.#session.native, pid) && !this.#isChild(pid)) this.#letGo(place)
    }
  }

  #isChild(pid: number): boolean {
    return this.#pidWord !== undefined && Atomics.load(this.#session.words, this.#pidWord) === pid
  }

  #letGo(place: number): void {
    try {
      this.#session.native.reap(this.#pid(place))
    } catch (error) {
      throwUnlessGone(error)
    }
    Atomics.store(this.#session.words, place, 0)
  }

  #pid(place: number): number {
    return Atomics.load(this.#session.words, place)
  }
}

/** Who has become another user since may not; its sockets are closed, by which it ends by itself. */
function killIfMay(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EPERM' && code !== 'ESRCH') throw error
  }
}

/** Waits for a child that has been killed, or ends by itself at once. */
export function awaitExit(native: Native, pid: number): void {
  const end = native.now() + ENDING_MS
  while (isRunning(native, pid, SLICE_MS) && native.now() < end);
}

/** Whether a child still runs, after a while. */
function isRunning(native: Native, pid: number, waitMs = 0): boolean {
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
