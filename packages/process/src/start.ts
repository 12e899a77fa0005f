/**
 * What `start()` does, whatever the start method.
 *
 * Checks, then pickling, then the start record, then the launch: whatever fails, nothing is left
 * of it and the Process can be started again.
 *
 * @module
 */
import { dumps } from '@mp/pickle'
import {
  DEFAULT_MAX_OBJECTS,
  MAX_AGENTS,
  MAX_OBJECTS,
  MultiprocessingError,
  type Session,
  type Tracked,
  session,
  trackInFlight,
} from '@mp/shared-memory/internal'
import { finish } from './ending.js'
import { announce, tellRecoveries } from './events.js'
import { endChildrenAtExit } from './exit.js'
import { surroundingsFor } from './forkserver/surroundings.js'
import type { LaunchOptions, StartMethod } from './options.js'
import { type Body, packPayload } from './payload.js'
import type { Launch, Running } from './running.js'
import { sendProcess } from './self-reference.js'
import { assertAvailable, checkStartMethod, getStartMethod } from './start-method.js'
import { createRecord, letGoOfRecord } from './start-record.js'
import { prepareForkserver, startForkserver } from './start-forkserver.js'
import { startSpawn } from './start-spawn.js'
import { startThread, threadStreams } from './start-thread.js'
import { type ProcessState, children, current } from './state.js'
import { subclassOf } from './subclass.js'

const LAUNCHERS: Record<string, (launch: Launch) => Running> = {
  spawn: startSpawn,
  forkserver: startForkserver,
  thread: startThread,
}

/** Starts a process that was not started before. */
export function startProcess(process: object, state: ProcessState): void {
  if (current.state.daemon) {
    throw new MultiprocessingError(
      'ERR_MP_DAEMON',
      `Cannot start ${state.name}: ${current.state.name} is a daemon, and those may not have children`,
    )
  }
  const method = state.startMethod ?? getStartMethod()
  checkStartMethod('startMethod', method)
  assertAvailable(method)
  const own = session()
  makeRoom(own)
  if (method === 'forkserver') prepareForkserver(launchOptions(state), own)
  const payload = pack(process, state, method)
  launch(state, method, own, payload)
  children.set(state, process)
  // The children of children keep quiet: all of them are interrupted at once.
  if (current.parent === undefined) own.native.tellInterrupt?.(true)
  endChildrenAtExit()
  tellRecoveries(own)
  const { name, daemon } = state
  announce('mp:process:start', () => ({
    name,
    pid: state.running?.pid ?? 0,
    startMethod: method,
    daemon,
  }))
  if (state.daemon) state.running?.unref()
}

/** Whoever starts many in a loop hears of no death in between; children wait until there is a place. */
function makeRoom({ agent, reaper }: Session): void {
  if (agent.highSlot() > MAX_AGENTS / 2) reaper.reapAll()
}

function launch(
  state: ProcessState,
  method: StartMethod,
  own: Session,
  payload: Tracked<Uint8Array>,
): void {
  const record = createRecord(own, payload.result)
  payload.give(record.index)
  const start = LAUNCHERS[method]
  try {
    state.running = start({
      name: state.name,
      options: launchOptions(state),
      session: own,
      record,
      onEnd: (exitCode) => finish(state, exitCode),
    })
    state.record = record
    state.undelivered = payload.cancel
  } catch (error) {
    payload.cancel()
    letGoOfRecord(own, record)
    state.startError = error
    throw error
  }
}

function launchOptions({ options }: ProcessState): LaunchOptions {
  return { ...options, env: withOurLimit(options.env) }
}

/** What `MP_MAX_OBJECTS` says decides the layout of the session: the child must not be told otherwise. */
function withOurLimit(env: NodeJS.ProcessEnv | undefined): NodeJS.ProcessEnv | undefined {
  const told = (env ?? process.env)['MP_MAX_OBJECTS']
  if (Number(told ?? DEFAULT_MAX_OBJECTS) === MAX_OBJECTS) return env
  return { ...(env ?? process.env), MP_MAX_OBJECTS: String(MAX_OBJECTS) }
}

function pack(self: object, state: ProcessState, method: StartMethod): Tracked<Uint8Array> {
  const body: Body = {
    subclass: subclassOf(self),
    fields: Object.fromEntries(Object.entries(self)),
    target: state.target,
    args: state.args,
  }
  const header = {
    name: state.name,
    daemon: state.daemon,
    identity: state.identity,
    startMethod: getStartMethod(),
    argv: process.argv.slice(1),
    parent: { name: current.state.name, pid: process.pid },
    streams: method === 'thread' ? threadStreams(state.options.stdio).slice(1) : [],
    ...(method === 'forkserver' && { surroundings: surroundingsFor(launchOptions(state)) }),
  }
  return trackInFlight(() =>
    packPayload(
      header,
      sendProcess(self, () => dumps(body)),
    ),
  )
}
