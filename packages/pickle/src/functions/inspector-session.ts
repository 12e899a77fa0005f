/**
 * A session of this thread with its own inspector, and the names that it has for values.
 *
 * Opened when the first function is sent by value or by reference, and kept. Nothing pauses, and no port is opened. Values pass
 * there and back in two objects: the inspector gives names to what is in an object that has one.
 *
 * @module
 */
import type { Runtime, Session } from 'node:inspector'
import { createRequire } from 'node:module'
import { clearTimeout, setTimeout } from 'node:timers'
import { allScriptsKnown, rememberScript } from './scripts.js'

/** Thrown when there is no inspector in this process. */
export class InspectorUnavailableError extends Error {}

let session: Session | undefined

function connect(): Session {
  if (session !== undefined) return session
  try {
    const inspector = createRequire(import.meta.url)('node:inspector') as {
      Session: new () => Session
    }
    const opened = new inspector.Session()
    opened.connect()
    opened.on('Debugger.scriptParsed', rememberScript)
    return (session = opened)
  } catch (error) {
    throw new InspectorUnavailableError('this process has no inspector', { cause: error })
  }
}

/**
 * Switches the debugger on for the moment of a call, which tells of all scripts that there are.
 *
 * The first time it costs 15 ms, in which V8 hashes the source of every script; later ones 2 ms. It is not left on,
 * because every piece of code that is then compiled anywhere is told to this session, and made slower.
 */
export function withDebugger<T>(use: () => T): T {
  connect()
  // Scripts that are garbage need not be kept for us.
  call('Debugger.enable', { maxScriptsCacheSize: 0 })
  try {
    allScriptsKnown()
    // This session is for looking only: a `debugger` statement means another one.
    call('Debugger.setSkipAllPauses', { skip: true })
    return use()
  } finally {
    call('Debugger.disable', {})
  }
}

/** Calls the inspector, which answers before it returns. */
export function call<T>(method: string, params: object): T {
  let answer: T | undefined
  let failure: Error | null = null
  session!.post(method, params, (error: Error | null, result?: object) => {
    failure = error
    answer = result as T
  })
  if (failure !== null) throw failure as Error
  // An exhausted stack ends in the native code between, which does not pass the error on.
  if (answer === undefined) throw new RangeError('Maximum call stack size exceeded')
  return answer
}

const GROUP = '@mp/pickle'
/** What may be kept alive by names. */
const KEPT_QUESTIONS = 64
const KEPT_MS = 100

/** Values that have a name, until the next {@link forget}. */
const known = new Map<unknown, string>()
const given = holder()
const returned = holder()
let givenId: string | undefined
let returnedId: string | undefined
let depth = 0
let questions = 0
let forgetting: NodeJS.Timeout | undefined

function holder(): { value: unknown } {
  return Object.assign(Object.create(null) as object, { value: undefined })
}

/** The inspector's name for an object or a function. */
export function idOf(value: unknown): string {
  const id = known.get(value)
  if (id !== undefined) return id
  givenId ??= idOfHolder(given)
  given.value = value
  try {
    const { objectId = '' } = propertiesOf(givenId).result[0].value!
    known.set(value, objectId)
    return objectId
  } finally {
    given.value = undefined
  }
}

const PLACE = Symbol.for('@mp/pickle.inspected')

/** By a property of the global object, for the moment of the call. */
function idOfHolder(value: object): string {
  Object.defineProperty(globalThis, PLACE, { value, configurable: true })
  try {
    const { result } = call<Runtime.EvaluateReturnType>('Runtime.evaluate', {
      expression: `globalThis[Symbol.for('${PLACE.description}')]`,
      objectGroup: GROUP,
      silent: true,
    })
    return result.objectId!
  } finally {
    Reflect.deleteProperty(globalThis, PLACE)
  }
}

/** What it has gets names of the same group. */
export function propertiesOf(objectId: string): Runtime.GetPropertiesReturnType {
  return call('Runtime.getProperties', { objectId, ownProperties: true })
}

/** What is in a list that has a name, such as that of a function's scopes. */
export function itemsOf<T>(objectId: string): T[] {
  returnedId ??= idOfHolder(returned)
  call('Runtime.callFunctionOn', {
    objectId,
    functionDeclaration: 'function (to) { to.value = Array.from(this) }',
    arguments: [{ objectId: returnedId }],
    silent: true,
  })
  const items = returned.value as T[]
  returned.value = undefined
  return items
}

/**
 * Runs what asks for names.
 *
 * Each call of the inspector takes as long as a small message: names are given back together, and what is looked at again has
 * its name still.
 */
export function withNames<T>(use: () => T): T {
  connect()
  depth++
  try {
    return use()
  } finally {
    depth--
    questions++
    forgetting ??= setTimeout(forget, KEPT_MS).unref()
    // To look at one function may be to look at what it captured.
    if (questions >= KEPT_QUESTIONS && depth === 0) forget()
  }
}

function forget(): void {
  clearTimeout(forgetting)
  forgetting = undefined
  questions = 0
  known.clear()
  givenId = undefined
  returnedId = undefined
  call('Runtime.releaseObjectGroup', { objectGroup: GROUP })
}
