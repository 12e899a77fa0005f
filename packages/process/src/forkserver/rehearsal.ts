/**
 * What a child does from its first moment to its last, done by its server: a copy then has all code compiled, all that
 * the engine learns about it, and whatever is made at first use. All that it does is taken back.
 *
 * @module
 */
import { dumps, loads } from '@mp/pickle'
import { sampleFunction } from '@mp/pickle/internal'
import {
  type Native,
  type Reduced,
  isDead,
  joinSession,
  leaveUnseen,
  loadNative,
  reduceSymbol,
} from '@mp/shared-memory/internal'
import { begin, openRecord } from '../child-main.js'
import { type Body, type Header, packPayload } from '../payload.js'
import { createRecord, letGoOfRecord, takePayload } from '../start-record.js'
import { current, rehearsals, startMethods } from '../state.js'
import { parseToken, tokenFor } from '../token.js'
import { adopt, takeOverFrom } from './adopt.js'
import type { Request } from './protocol.js'
import { surroundingsFor } from './surroundings.js'

const EVENTS = ['beforeExit', 'exit'] as const
const STREAMS = ['stdout', 'stderr'] as const

type Listener = (...args: unknown[]) => void

let performed = 0

/** Does it `times` times. Nobody else may be at work: what is undone is compared with what there was before. */
export async function rehearse(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    // What Node does around a copy, which begins in a callback like this one.
    await new Promise<void>((resolve) => setImmediate(() => process.nextTick(resolve)))
    process.hrtime.bigint()
    const takeBack = remember()
    await perform(++performed)
    for (const also of rehearsals) await also(performed)
    takeBack()
  }
  // What `ps` shows of the server, as it is named in children.
  process.title = 'node [forkserver]'
}

/** Does it once in a copy, and tells later ones what memory that has taken. */
export async function learn(native: Native): Promise<void> {
  await perform(++performed)
  native.forkLearn()
  leaveUnseen()
  native.forkRevive()
}

/** Returns what ends the child that has been performed, and takes it back. */
function remember(): () => void {
  const known = EVENTS.map((event) => process.rawListeners(event))
  const streams = STREAMS.map((name) => Object.getOwnPropertyDescriptor(process, name))
  const args = process.argv.slice(1)
  const before = { ...current }
  const { exitCode } = process
  return () => {
    EVENTS.forEach((event, i) => {
      for (const listener of process.rawListeners(event) as Listener[]) {
        if (known[i]?.includes(listener) === true) continue
        listener.call(process, 0)
        process.off(event, listener)
      }
    })
    process.exitCode = exitCode
    leaveUnseen()
    Object.assign(current, before)
    process.argv.splice(1, process.argv.length, ...args)
    STREAMS.forEach((name, i) => {
      Object.defineProperty(process, name, streams[i] as PropertyDescriptor)
    })
  }
}

async function perform(n: number): Promise<void> {
  const session = joinSession(undefined, 0)
  const record = createRecord(session, payloadOf(n))
  const launch = { name: 'Process', options: {}, session, record, onEnd: () => {} }
  const text = JSON.stringify({ token: tokenFor(launch, undefined) } satisfies Request)
  const request = adopt(loadNative(), text)
  const token = parseToken('token' in request ? request.token : undefined)
  isDead(session.words, session.agent.tag)
  const payload = takePayload(session, openRecord(session, token))
  // What a target does that was sent by value.
  ;(loads(sampleFunction(n)) as () => void)()
  await begin(session, token, payload, takeOverFrom, () => {})
  // As its parent and as its child: nothing may hold it when the place is given back.
  letGoOfRecord(session, record)
  letGoOfRecord(session, record)
}

/** What arrives by a module and a name, as most targets do. */
const NAMED = {
  [reduceSymbol]: (): Reduced => ({
    module: new URL('./own.cjs', import.meta.url).href,
    name: 'nothing',
    args: [],
  }),
}

/** Of a child that has everything as its server has it. */
function payloadOf(n: number): Uint8Array {
  const header: Header = {
    name: `Process-${n}`,
    daemon: false,
    identity: [n],
    startMethod: startMethods.inherited,
    argv: process.argv.slice(1),
    parent: { name: 'MainProcess', pid: process.ppid },
    streams: [],
    surroundings: surroundingsFor({}),
  }
  const body: Body = { subclass: undefined, fields: {}, target: undefined, args: [NAMED] }
  return packPayload(header, dumps(body))
}
