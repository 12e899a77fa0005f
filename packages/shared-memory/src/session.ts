/**
 * The session: one process tree, one shared memory file, and this thread's place in it.
 *
 * The first thread that needs it makes it; a child process attaches to the file
 * that it got as a descriptor; a worker thread finds it mapped in its process.
 *
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { Agent } from './agent.js'
import { Arena } from './arena.js'
import { DeathWatch } from './death-watch.js'
import { Directory } from './directory.js'
import { MultiprocessingError, OutOfSharedMemoryError } from './errors.js'
import {
  AT,
  CONTROL_BYTES,
  HEADER,
  MAGIC,
  MAX_AGENTS,
  MAX_PAGES,
  PAGE_BYTES,
  SLOT,
  SLOT_STATE,
  SLOT_WORDS,
  UNITS,
  layoutHash,
  slotWord,
} from './layout.js'
import { Lifetime } from './lifetime.js'
import { MemoryWaits } from './memory-waits.js'
import type { Native } from './native.js'
import { Pages, type Shown, keptPages, showStart } from './pages.js'
import { loadPlatform } from './platform.js'
import { Reaper } from './reaper.js'
import { recoverTakings } from './ring/taking.js'
import { awaitSlot, freeSlot } from './slots.js'
import { isDead, packState, tagSlot } from './tag.js'
import { Waiting } from './waiting.js'

/** All that a primitive needs. */
export interface Session {
  readonly agent: Agent
  readonly words: Int32Array
  readonly native: Native
  readonly waiting: Waiting
  readonly directory: Directory
  readonly lifetime: Lifetime
  readonly pages: Pages
  readonly memory: MemoryWaits
  readonly reaper: Reaper
  readonly deathWatch: DeathWatch
}

/**
 * Where this thread's session is. Beside the module, not in it: a child is started by a file that has this module
 * built in (`child-code.cjs` of @mp/process), and this module, loaded later, finds the session of that one. In a fork
 * there is what its server has prepared.
 */
const place: { current?: Session; prepared?: Shown } = ((globalThis as Record<symbol, object>)[
  Symbol.for(`@mp/shared-memory/session/${layoutHash}`)
] ??= {})

/** This thread's session; makes one when the process has none. */
export function session(): Session {
  if (place.current === undefined) {
    const native = loadPlatform()
    if (!native.attached()) createFile(native)
    place.current = join(native, 0, 0)
  }
  return place.current
}

/** Whether this thread has joined a session already. */
export function hasSession(): boolean {
  return place.current !== undefined
}

/**
 * Joins the session of the agent that started this one; a child does it before anything else.
 *
 * @param fd the inherited descriptor of the session's file; undefined in a worker thread.
 * @param parent tag of the agent that started this one. If that is a process, it has to be watched by
 * the parent from its start on: `deathWatch.watch(pid)`.
 * @param patienceMs how long to wait for a place while the session is full: of many that are started at once, most
 * may have little to do.
 */
export function joinSession(fd: number | undefined, parent: number, patienceMs = 0): Session {
  const native = loadPlatform()
  if (fd !== undefined && place.prepared === undefined) native.attach(fd)
  place.current = join(native, parent, patienceMs)
  return place.current
}

/**
 * Takes back `joinSession`, for an agent that nobody has heard of, and that holds nothing: a fork server joins to have
 * all that its children do done once.
 *
 * CRASH: whoever dies before it leaves a place that the next reaper frees; there is nothing that anybody waits for.
 */
export function leaveUnseen(): void {
  const { agent, native, words } = place.current as Session
  freeSlot(native, words, agent.tag)
  place.current = undefined
}

/**
 * Maps a session's file without joining it; for a fork server, whose copies then join it with what they have.
 *
 * Mapping it is dear where the engine takes it for memory that a collection might free.
 */
export function prepareSession(fd: number): void {
  const native = loadPlatform()
  native.attach(fd)
  if (native.byteLength() < CONTROL_BYTES) throw wrongLayout(0)
  place.prepared = showStart(native)
}

let several: boolean | undefined

/** Asked for when somebody is about to wait, which is not on the way of a child's start. */
function hasSeveralProcessors(): boolean {
  return (several ??= availableParallelism() > 1)
}

function createFile(native: Native): void {
  let pages = pageLimit(native)
  for (;;) {
    try {
      native.create(CONTROL_BYTES + pages * PAGE_BYTES)
      break
    } catch (error) {
      // Another thread of this process was faster.
      if ((error as NodeJS.ErrnoException).code === 'EALREADY') return
      // A limit on address space or file size (ulimit -v, -f): smaller may fit.
      if (pages <= MIN_PAGES) {
        throw new OutOfSharedMemoryError(
          `Cannot make the session's shared memory, not even ${PAGE_BYTES * pages} bytes of it: ${(error as Error).message}`,
        )
      }
      pages = Math.max(MIN_PAGES, pages >>> 1)
    }
  }
  const words = new Int32Array(native.view(0, HEADER_BYTES))
  words.set(randomId(), HEADER.id)
  words[HEADER.magic] = MAGIC
  words[HEADER.hash] = layoutHash
  words[HEADER.pages] = pages
  Atomics.store(words, HEADER.ready, 1)
}

/** From the system, which takes a tenth of the time in which Node loads its module for such things. */
function randomId(): Int32Array {
  const id = new Int32Array(4)
  try {
    const fd = openSync('/dev/urandom', 'r')
    try {
      if (readSync(fd, id) === id.byteLength) return id
    } finally {
      closeSync(fd)
    }
  } catch {
    // Not on every system, nor in every container.
  }
  return process.getBuiltinModule('node:crypto').randomFillSync(id)
}

const HEADER_BYTES = 4096
const MIN_PAGES = 256
/** Not every system gives out memory that is not there yet, and Node 20 has no buffer of more than 4 GiB. */
const BARE_BYTES = 2 ** 31

/** Pages of a new session: as `MP_MEMORY_LIMIT` (bytes) says, else three quarters of the memory that there is; without the addon at most 2 GiB. */
function pageLimit(native: Native): number {
  const setting = process.env['MP_MEMORY_LIMIT']
  let bytes = Math.min(totalmem(), constrainedMemory()) * 0.75
  if (native.bare !== undefined) bytes = Math.min(bytes, BARE_BYTES)
  if (setting !== undefined) {
    bytes = Number(setting)
    if (!Number.isFinite(bytes) || bytes <= 0) {
      throw new RangeError(
        `Expected \`MP_MEMORY_LIMIT\` to be a number of bytes, got \`${setting}\``,
      )
    }
  }
  return Math.min(MAX_PAGES, Math.max(MIN_PAGES, Math.floor(bytes / PAGE_BYTES)))
}

function constrainedMemory(): number {
  const limit = process.constrainedMemory()
  return limit > 0 ? limit : Infinity
}

function join(native: Native, parent: number, patienceMs: number): Session {
  if (native.byteLength() < CONTROL_BYTES) throw wrongLayout(0)
  const { words, window } = place.prepared ?? showStart(native)
  awaitHeader(native, words)
  const hash = Atomics.load(words, HEADER.hash)
  if (Atomics.load(words, HEADER.magic) !== MAGIC || hash !== layoutHash) throw wrongLayout(hash)
  native.setLayout({
    slotsWord: AT.slots,
    slotWords: SLOT_WORDS,
    slotCount: MAX_AGENTS,
    stateWord: SLOT.state,
    pidWord: SLOT.pid,
    bellWord: SLOT.bell,
    parkedWord: SLOT.parked,
    deathsWord: HEADER.deaths,
    goneState: SLOT_STATE.gone,
    liveState: SLOT_STATE.live,
  })
  const tag = awaitSlot(native, words, parent, patienceMs)
  const agent = new Agent(words, native, tagSlot(tag), tag)
  agent.maySpin = hasSeveralProcessors
  const units = new Arena(agent, AT.unitTable, UNITS, HEADER.unitRotor, HEADER.highUnit)
  const count = Atomics.load(words, HEADER.pages)
  const floor = { block: keptPages(count), hint: HEADER.lowPage }
  const pageArena = new Arena(
    agent,
    AT.pageTable,
    count,
    HEADER.pageRotor,
    HEADER.highPage,
    'all',
    floor,
  )
  const memory = new MemoryWaits(agent)
  pageArena.onFreed = memory.wake
  const lifetime = new Lifetime(agent, units, pageArena, native)
  const directory = new Directory(agent, units, lifetime)
  const reaper = new Reaper(agent, native, directory, [units, pageArena])
  const deathWatch = new DeathWatch(agent, native)
  recoverTakings(reaper, words, units, pageArena)
  reaper.adoptOrphans = () => deathWatch.adoptOrphans()
  const waiting = startWaiting(native, agent, reaper, deathWatch)
  const pages = new Pages(pageArena, count, native, window)
  process.once('exit', () => {
    const state = packState(tag >>> 12, SLOT_STATE.exiting)
    Atomics.store(words, slotWord(agent.slot) + SLOT.state, state)
  })
  const joined = {
    agent,
    words,
    native,
    waiting,
    directory,
    lifetime,
    pages,
    memory,
    reaper,
    deathWatch,
  }
  // SYNC: we made ourselves known, then look; a reaper marks our parent dead, then looks for its orphans. Either it
  // sees us, or we see that nobody watches us, and whoever waits has to be told.
  if (parent !== 0 && isDead(words, parent)) {
    Atomics.add(words, HEADER.deaths, 1)
    agent.ringAll()
  }
  return joined
}

/** The thread of this process that makes the session may not have filled the header yet; that takes microseconds. */
function awaitHeader(native: Native, words: Int32Array): void {
  const deadline = native.now() + HEADER_DEADLINE_MS
  while (Atomics.load(words, HEADER.ready) === 0 && native.now() < deadline) {
    native.park(HEADER.ready, 0, 1)
  }
}

/** Whoever makes the session and does not finish in this time was terminated; the check that follows says so. */
const HEADER_DEADLINE_MS = 5000

function startWaiting(
  native: Native,
  agent: Agent,
  reaper: Reaper,
  deathWatch: DeathWatch,
): Waiting {
  let started = false
  // Of those who died before this agent came, nobody else may have taken care.
  let deaths: number | undefined
  const waiting = new Waiting(agent, {
    start() {
      if (started) return
      started = true
      native.waiterStart(agent.bellWord, agent.parkedWord, agent.bell(), () => waiting.onBell())
    },
    setPending(count) {
      if (count === 0) native.waiterUnref()
      else native.waiterRef()
    },
    noticeDeaths(probe) {
      const now = Atomics.load(agent.words, HEADER.deaths)
      if (now === deaths && !probe) return false
      deaths = now
      reaper.reapAll()
      return true
    },
    mustProbe: () => deathWatch.isBlind(),
  })
  return waiting
}

function wrongLayout(hash: number): MultiprocessingError {
  return new MultiprocessingError(
    'ERR_MP_VERSION',
    'This process tree uses another version of @mp/shared-memory, or another MP_MAX_OBJECTS ' +
      `(layout ${(hash >>> 0).toString(16)}, this copy has ${(layoutHash >>> 0).toString(16)}); have one for all`,
  )
}
