/**
 * The fork server of this thread: started when it is first needed, replaced when it is killed or when what it
 * was started with has changed. Where forking does not work, that is found out once, and said once.
 *
 * @module
 */
import { type Native, type Session, loadedModules } from '@mp/shared-memory/internal'
import { resolve } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { inheritedExecArgv } from '../exec-argv.js'
import { CannotFork, ForkServer, ServerLost } from './client.js'
import { forkserverPreload } from './preload.js'
import type { Request } from './protocol.js'
import { atStart } from './surroundings.js'

/** How often a server may be lost in a row before it is not somebody's killing it. */
const ATTEMPTS = 3
/** How long the first copy may take to prove that copies work. */
const PROBE_MS = 15_000
const SLICE_MS = 100

let server: ForkServer | undefined
let serverKey: string | undefined
let isHopeless = false
/** The last one whose copies have been seen to work. */
let proven: ForkServer | undefined

/** Whether the addon can copy processes on this system at all; where it cannot, there has been a warning. */
export function mayCopy(native: Native): boolean {
  if (isHopeless || proven !== undefined) return !isHopeless
  try {
    for (const fd of native.forkPair(false)) native.forkClose(fd)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSYS') throw error
    giveUp('processes can be copied on Linux on x64 with glibc only, so far')
    return false
  }
  return true
}

/**
 * Makes a copy by this thread's server.
 *
 * @returns its pid; null where forking does not work, for which there has been a warning.
 * @throws ProcessRefused when the system refuses another process.
 */
export function copyByServer(
  session: Session,
  pidWord: number,
  request: Request,
  fds: readonly number[],
): number | null {
  if (isHopeless) return null
  let lost: unknown
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return currentServer(session, pidWord).copy(session, pidWord, request, fds)
    } catch (error) {
      if (error instanceof CannotFork) return giveUp(error.message)
      if (!(error instanceof ServerLost)) throw error
      endServer()
      // It may have had a place in the session for a moment.
      session.reaper.reapAll()
      lost = error
    }
  }
  return giveUp(`its server was lost ${ATTEMPTS} times: ${(lost as Error).message}`)
}

/**
 * Starts a server where one will be needed, without waiting for it: it loads its modules while its user has something
 * else to do.
 *
 * What is against it is said when it is used.
 */
export function prepareServer(session: Session): void {
  if (isHopeless || server !== undefined) return
  try {
    if (mayCopy(session.native)) matchingServer(session)
  } catch {
    // It is tried again in `copyByServer`, whose caller has an answer to it.
  }
}

/** Says that a copy has ended, and has been let go of. */
export function noteEnd(): void {
  server?.noteEnd()
}

/**
 * Calls back from the event loop, once, when a start need not wait for this thread's server any more.
 *
 * @returns false where it need not now; nobody calls back then.
 */
export function whenServerHasLoaded(callback: () => void): boolean {
  if (server === undefined || server.isReady) return false
  server.whenLoaded(callback)
  return true
}

function currentServer(session: Session, pidWord: number): ForkServer {
  const matching = matchingServer(session)
  for (const failure of matching.becomeReady()) {
    process.emitWarning(`The fork server cannot load ${failure}`, { code: 'MP_FORKSERVER_PRELOAD' })
  }
  if (matching !== proven) prove(session, matching, pidWord)
  return matching
}

/** The server that was started with what holds now; starts one when there is none. */
function matchingServer(session: Session): ForkServer {
  const flags = inheritedExecArgv()
  const main = mainModule()
  const preload = forkserverPreload()
  const key = JSON.stringify([
    process.execPath,
    flags,
    main,
    preload,
    credentials(),
    atStart(process.env),
  ])
  if (server !== undefined && key === serverKey) return server
  endServer()
  // Of a main thread, the kernel sees to it.
  if (!isMainThread && serverKey === undefined) process.once('exit', endServer)
  server = new ForkServer(session, flags, {
    parentPid: process.pid,
    main,
    loaded: loadedModules(),
    preload,
  })
  serverKey = key
  return server
}

/** Sees whether a copy is a whole process. @throws CannotFork when it is not. */
function prove(session: Session, unproven: ForkServer, pidWord: number): void {
  const { native } = session
  const pid = unproven.copy(session, pidWord, { probe: true }, [0, 1, 2])
  const end = native.now() + PROBE_MS
  let exit = null
  while (exit === null && native.now() < end) exit = native.waitExit(pid, SLICE_MS)
  if (exit === null) process.kill(pid, 'SIGKILL')
  while (native.waitExit(pid, SLICE_MS) === null);
  native.reap(pid)
  if (exit === null) throw new CannotFork('a copy of a process does not get anything done')
  // Killed by somebody, perhaps together with the server: look again.
  if (exit.signal === 9) throw new ServerLost('its first copy was killed')
  if (exit.code !== 0) {
    throw new CannotFork(`a copy of a process fails (${exit.code ?? `signal ${exit.signal}`})`)
  }
  proven = unproven
}

function endServer(): void {
  server?.end()
  server = undefined
  serverKey = undefined
}

function giveUp(why: string): null {
  isHopeless = true
  endServer()
  process.emitWarning(
    `Processes are started by 'spawn', as 'forkserver' cannot work here: ${why}`,
    {
      code: 'MP_FORKSERVER_UNAVAILABLE',
    },
  )
  return null
}

function mainModule(): string {
  return resolve(process.argv[1] ?? '[eval]')
}

/** Who this process is for the system: a server that was started by somebody else must not be used. */
function credentials(): unknown {
  return [
    process.getuid?.(),
    process.geteuid?.(),
    process.getgid?.(),
    process.getegid?.(),
    process.getgroups?.(),
  ]
}
