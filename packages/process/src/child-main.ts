/**
 * What a child does from its first moment to its last.
 *
 * It joins the session, ties its life to its parent's, takes its payload, and runs it. Then its
 * event loop runs empty as any program's does; what still stands in it keeps the child alive.
 *
 * @module
 */
import { loadsAsync } from '@mp/pickle'
import {
  OBJECT_TYPE,
  type ObjectHandle,
  type Session,
  isDead,
  joinSession,
  loadNative,
} from '@mp/shared-memory/internal'
import { isMainThread } from 'node:worker_threads'
import { announce, tellRecoveries } from './events.js'
import { type Body, type Header, unpackPayload } from './payload.js'
import { inheritStartMethod } from './start-method.js'
import { RECORD, takePayload } from './start-record.js'
import { type Target, current } from './state.js'
import { redirect } from './thread-output.js'
import type { Token } from './token.js'
import { fail, reportToStream, say, showUncaughtErrors } from './uncaught.js'
import { keepOutputWhole } from './whole-output.js'

/** As Node for a program whose top-level `await` never ends. */
const UNSETTLED = 13

/** How long to wait for a place among too many; whoever waits for all of them at once waits in vain. */
const PATIENCE_MS = 20_000

/**
 * Runs the child that the token leads to.
 *
 * @param onHeader called before anything of the program is loaded.
 * @param onReady called when all is there, before the target is.
 * @returns what is settled when its target is done.
 */
export function runChild(
  token: Token,
  onHeader?: (header: Header) => void,
  onReady?: () => void,
): Promise<void> {
  // Also by the kernel's signal, which comes when the parent's *thread* ends: that is our parent.
  if (isMainThread) loadNative().dieWithParent(token.parentPid, true)
  const session = joinSession(token.fd, token.parentTag, PATIENCE_MS)
  // Before that signal was asked for, a thread that was our parent may have ended without one.
  if (isDead(session.words, token.parentTag)) process.exit(1)
  const record = openRecord(session, token)
  const { words } = session
  const tellExit = (exitCode: number): void => {
    Atomics.store(words, record.base + RECORD.exit, (exitCode & 0xff) + 1)
  }
  return begin(session, token, takePayload(session, record), onHeader, tellExit, onReady)
}

/**
 * Runs a payload, once the process has its place in the session.
 *
 * @param tellExit called at the end with the exit code.
 */
export function begin(
  session: Session,
  token: Token,
  payload: Uint8Array,
  onHeader: ((header: Header) => void) | undefined,
  tellExit: (exitCode: number) => void,
  onReady?: () => void,
): Promise<void> {
  const { header, body } = unpackPayload(payload)
  onHeader?.(header)
  become(header, token)
  prepare(header)
  tellRecoveries(session)
  return run(body, tellExit, onReady)
}

/** Finds what the parent left for us, and says that we are there. */
export function openRecord({ directory, words, agent }: Session, token: Token): ObjectHandle {
  const { recordIndex, recordGeneration } = token
  const record = directory.open(OBJECT_TYPE.process, recordIndex, recordGeneration)
  Atomics.store(words, record.base + RECORD.child, agent.tag)
  return record
}

function become(header: Header, token: Token): void {
  const { name, daemon, identity } = header
  current.state = { ...current.state, name, daemon, identity }
  current.parent = { ...header.parent, tag: token.parentTag }
}

function prepare(header: Header): void {
  inheritStartMethod(header.startMethod)
  if (isMainThread) process.title = titleOf(header.name)
  process.argv.splice(1, process.argv.length, ...header.argv)
  showUncaughtErrors()
  if (isMainThread) {
    keepOutputWhole()
    return
  }
  const [stdout, stderr] = header.streams
  redirect('stdout', stdout)
  redirect('stderr', stderr)
  if (stderr !== 'inherit') reportToStream()
}

/** As `ps` and `top` show it. What it begins with tells it from other programs; the rest is cut where the system has no room. */
function titleOf(name: string): string {
  return `node ${name}`
}

async function run(
  bytes: Uint8Array,
  tellExit: (exitCode: number) => void,
  onReady: (() => void) | undefined,
): Promise<void> {
  const settled = watchEnd((exitCode) => {
    if (isMainThread) process.exitCode = exitCode
    tellExit(exitCode)
  })
  try {
    const body = (await loadsAsync(bytes)) as Body
    await runBody(body, onReady)
    settled()
  } catch (error) {
    settled()
    fail(error)
  }
}

/** Most children have a target and nothing else: they do without the class `Process`, and all that it needs. */
async function runBody(body: Body, onReady: (() => void) | undefined): Promise<unknown> {
  const { subclass, fields, target, args } = body
  const { name } = current.state
  announce('mp:process:ready', () => ({
    name,
    pid: process.pid,
    sinceStartMs: performance.now() - current.startedMs,
  }))
  onReady?.()
  current.state = { ...current.state, target: target as Target | undefined, args }
  if (current.process !== undefined || subclass !== undefined || Object.keys(fields).length > 0) {
    const { revive } = await import('./revive.js')
    return revive(body).run()
  }
  return (target as ((...args: unknown[]) => unknown) | undefined)?.(...args)
}

/** Tells the exit code at the end; also of a target whose promise nothing can settle any more. */
function watchEnd(setExitCode: (exitCode: number) => void): () => void {
  let pending = true
  let idle = false
  process.on('beforeExit', () => {
    idle = true
  })
  process.on('exit', (code) => {
    // After process.exit(N) its exit code is set.
    const unsettled = pending && idle && process.exitCode === undefined
    if (unsettled) say('Its target never finished: nothing is left that could settle its promise')
    setExitCode(unsettled ? UNSETTLED : code)
  })
  return () => {
    pending = false
  }
}
