/**
 * What only the engine knows of a function: where it was defined, and what it captured.
 *
 * An inspector session of the thread with itself, opened when the first function is sent by value
 * or by reference (20 ms, once) and kept. Nothing pauses, and no port is opened. Values pass
 * through a global property that exists for the moment of a call.
 *
 * @module
 */
import { createRequire } from 'node:module'
import type { Debugger, InspectorNotification, Runtime, Session } from 'node:inspector'

type Callable = (...args: never[]) => unknown

/** A script as the engine has it. */
export interface Script {
  readonly id: string
  /** `file:///…`, `node:fs`, or empty for evaluated code. */
  readonly url: string
  readonly isModule: boolean
  /** Where its first line stands in what it says it is a part of. */
  readonly startLine: number
  readonly startColumn: number
}

/** Where a function was defined. */
export interface Location {
  readonly script: Script
  /** Line and column of its parameter list, or of `class`; both from 0, as the script counts. */
  readonly line: number
  readonly column: number
}

/** One scope that a function closes over, innermost first. */
export interface CapturedScope {
  /** As V8 says: `Block`, `Closure (name)`, `Module`, `Script`, `Catch`, `With Block`. */
  readonly description: string
  /** Its variables that some function captured, by name. */
  readonly variables: Readonly<Record<string, unknown>>
}

/** Thrown when there is no inspector in this process. */
export class InspectorUnavailableError extends Error {}

const SLOT = Symbol.for('@mp/pickle.inspected')
const SLOT_SOURCE = `Symbol.for('${SLOT.description}')`
const GROUP = '@mp/pickle'

interface Slot {
  readonly value: unknown
  result: unknown
}

let session: Session | undefined
const scripts = new Map<string, Script>()

function connect(): Session {
  if (session !== undefined) return session
  try {
    const inspector = createRequire(import.meta.url)('node:inspector') as {
      Session: new () => Session
    }
    const opened = new inspector.Session()
    opened.connect()
    opened.on('Debugger.scriptParsed', remember)
    session = opened
    // Scripts that are garbage need not be kept for us.
    call('Debugger.enable', { maxScriptsCacheSize: 0 })
    // This session is for looking only: a `debugger` statement means another one.
    call('Debugger.setSkipAllPauses', { skip: true })
    return opened
  } catch (error) {
    session = undefined
    throw new InspectorUnavailableError('this process has no inspector', { cause: error })
  }
}

function remember({ params }: InspectorNotification<Debugger.ScriptParsedEventDataType>): void {
  const { scriptId: id, url, isModule = false, startLine, startColumn } = params
  // Programs that generate code make many scripts without a name, of which none is needed again.
  if (url !== '') scripts.set(id, { id, url, isModule, startLine, startColumn })
}

function unnamed(id: string): Script {
  return { id, url: '', isModule: false, startLine: 0, startColumn: 0 }
}

/** Calls the inspector, which answers before it returns. */
function call<T>(method: string, params: object): T {
  let answer: T | undefined
  let failure: Error | null = null
  session!.post(method, params, (error: Error | null, result?: object) => {
    failure = error
    answer = result as T
  })
  if (failure !== null) throw failure as Error
  return answer as T
}

/** A variable's value, or that it has none yet: an object, since any value may be one. */
export function readVariable(
  scopes: readonly CapturedScope[],
  name: string,
): { value: unknown } | 'not found' | 'no value yet' {
  for (const { variables } of scopes) {
    if (!Object.hasOwn(variables, name)) continue
    try {
      return { value: variables[name] }
    } catch (error) {
      // Node 22 and later; on Node 20 such a variable reads as undefined.
      if (error instanceof ReferenceError) return 'no value yet'
      throw error
    }
  }
  return 'not found'
}

/** What the inspector says of one function. Valid within {@link inspect}'s callback only. */
export class Inspection {
  /** Where it was defined; undefined for native functions. */
  readonly location: Location | undefined
  readonly #scopesId: string | undefined
  readonly #slot: Slot

  constructor(objectId: string, slot: Slot) {
    const { internalProperties = [] } = call<Runtime.GetPropertiesReturnType>(
      'Runtime.getProperties',
      { objectId, ownProperties: true },
    )
    const named = (name: string): Runtime.RemoteObject | undefined =>
      internalProperties.find((property) => property.name === name)?.value
    const place = named('[[FunctionLocation]]')?.value as Debugger.Location | undefined
    this.location = place && {
      script: scripts.get(place.scriptId) ?? unnamed(place.scriptId),
      line: place.lineNumber,
      column: place.columnNumber ?? 0,
    }
    this.#scopesId = named('[[Scopes]]')?.objectId
    this.#slot = slot
  }

  /** @returns the scopes it closes over, with copies of their variables' values. */
  scopes(): CapturedScope[] {
    if (this.#scopesId === undefined) return []
    call('Runtime.callFunctionOn', {
      objectId: this.#scopesId,
      functionDeclaration: `function () { globalThis[${SLOT_SOURCE}].result = Array.from(this) }`,
      objectGroup: GROUP,
      silent: true,
    })
    const list = this.#slot.result as { description: string; object: Record<string, unknown> }[]
    return list
      .filter(({ description }) => description !== 'Global')
      .map(({ description, object }) => ({ description, variables: object }))
  }
}

/** Looks at a function: its value goes to the inspector, and what that hands back comes here. */
export function inspect<T>(fn: Callable, use: (inspection: Inspection) => T): T {
  connect()
  const slot: Slot = { value: fn, result: undefined }
  Object.defineProperty(globalThis, SLOT, { value: slot, configurable: true })
  try {
    const { result } = call<Runtime.EvaluateReturnType>('Runtime.evaluate', {
      expression: `globalThis[${SLOT_SOURCE}].value`,
      objectGroup: GROUP,
      silent: true,
    })
    return use(new Inspection(result.objectId!, slot))
  } finally {
    Reflect.deleteProperty(globalThis, SLOT)
    call('Runtime.releaseObjectGroup', { objectGroup: GROUP })
  }
}

/** @returns a script's source as the engine compiled it. */
export function sourceOf(script: Script): string {
  connect()
  return call<Debugger.GetScriptSourceReturnType>('Debugger.getScriptSource', {
    scriptId: script.id,
  }).scriptSource
}

/** Tells Node's own and native functions from those of programs and packages. */
export function originOf(fn: Callable): 'builtin' | 'program' {
  if (/\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn))) return 'builtin'
  try {
    return inspect(fn, ({ location }) =>
      location?.script.url.startsWith('node:') ? 'builtin' : 'program',
    )
  } catch (error) {
    if (error instanceof InspectorUnavailableError) return 'program'
    throw error
  }
}
