/**
 * What only the engine knows of a function: where it was defined, and what it captured.
 *
 * An inspector session of the thread with itself, opened when the first function is sent by value
 * or by reference and kept. Nothing pauses, and no port is opened. Values pass through a global
 * property that exists for the moment of a call. Where a function is defined, and what it captured,
 * can be asked without a debugger; which file that is, only with one (15 ms, once), or from the
 * stack.
 *
 * @module
 */
import { createRequire } from 'node:module'
import type { Debugger, Runtime, Session } from 'node:inspector'
import { clearTimeout, setTimeout } from 'node:timers'
import { isMainAsInFile, mainSource } from './main-source.js'
import {
  allScriptsKnown,
  keepScript,
  knownScript,
  rememberScript,
  unnamedScript,
  type Script,
} from './scripts.js'
import { scriptsOnStack } from './stack.js'

type Callable = (...args: never[]) => unknown

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
function withDebugger<T>(use: () => T): T {
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
function call<T>(method: string, params: object): T {
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
    this.#scopesId = named('[[Scopes]]')?.objectId
    this.#slot = slot
    this.location = place && {
      script: this.#scriptAt(place),
      line: place.lineNumber,
      column: place.columnNumber ?? 0,
    }
  }

  #scriptAt({ scriptId, lineNumber, columnNumber = 0 }: Debugger.Location): Script {
    return (
      knownScript(scriptId) ??
      this.#mainScript(scriptId, { line: lineNumber, column: columnNumber }) ??
      withDebugger(() => {
        const script = knownScript(scriptId) ?? unnamedScript(scriptId)
        // It will be asked for, and the debugger is on now.
        if (!script.url.startsWith('node:')) readSource(script)
        return script
      })
    )
  }

  /** The main module's script, when it is being executed: found without the debugger. */
  #mainScript(id: string, place: { line: number; column: number }): Script | undefined {
    if (!isMainAsInFile()) return undefined
    const url = scriptsOnStack(call, (error) => {
      this.#slot.result = error
      return idOf('result')
    }).get(id)
    if (url === undefined) return undefined
    const isModule = this.scopes().some(({ description }) => description === 'Module')
    const source = mainSource(url, isModule, this.#slot.value as Callable, place)
    if (source === undefined) return undefined
    sources.set(id, source)
    return keepScript({ id, url, isModule, startLine: 0, startColumn: 0 })
  }

  /** @returns the scopes it closes over, with copies of their variables' values. */
  scopes(): CapturedScope[] {
    if (this.#scopesId === undefined) return []
    call('Runtime.callFunctionOn', {
      objectId: this.#scopesId,
      functionDeclaration: `function () { globalThis[${SLOT_SOURCE}].result = Array.from(this) }`,
      silent: true,
    })
    const list = this.#slot.result as { description: string; object: Record<string, unknown> }[]
    return list
      .filter(({ description }) => description !== 'Global')
      .map(({ description, object }) => ({ description, variables: object }))
  }
}

/** The inspector's name for what is in the slot. */
function idOf(part: keyof Slot, objectGroup: string = GROUP): string {
  const { result } = call<Runtime.EvaluateReturnType>('Runtime.evaluate', {
    expression: `globalThis[${SLOT_SOURCE}].${part}`,
    objectGroup,
    silent: true,
  })
  return result.objectId!
}

/** Looks at a function: its value goes to the inspector, and what that hands back comes here. */
export function inspect<T>(fn: Callable, use: (inspection: Inspection) => T): T {
  connect()
  const slot: Slot = { value: fn, result: undefined }
  Object.defineProperty(globalThis, SLOT, { value: slot, configurable: true })
  try {
    return use(new Inspection(idOf('value'), slot))
  } finally {
    Reflect.deleteProperty(globalThis, SLOT)
    call('Runtime.releaseObjectGroup', { objectGroup: GROUP })
  }
}

// #region Looking at a function again

/** Functions that the inspector has a name for, until the next {@link forget}. */
const held = new Map<Callable, string>()
/** What may be kept alive by their names, and by those of what was asked of them. */
const HELD_QUESTIONS = 64
const HELD_MS = 100
const HELD_GROUP = '@mp/pickle/held'
let questions = 0
let forgetting: NodeJS.Timeout | undefined

/**
 * Tells what a function captured, for one that is asked for again and again.
 *
 * It takes two calls of the inspector instead of four: the function keeps its name there for a moment.
 */
export function scopesAgain<T>(fn: Callable, use: (scopes: CapturedScope[]) => T): T {
  connect()
  const slot: Slot = { value: fn, result: undefined }
  Object.defineProperty(globalThis, SLOT, { value: slot, configurable: true })
  try {
    let id = held.get(fn)
    if (id === undefined) held.set(fn, (id = idOf('value', HELD_GROUP)))
    return use(new Inspection(id, slot).scopes())
  } finally {
    Reflect.deleteProperty(globalThis, SLOT)
    forgetting ??= setTimeout(forget, HELD_MS).unref()
    if (++questions === HELD_QUESTIONS) forget()
  }
}

function forget(): void {
  clearTimeout(forgetting)
  forgetting = undefined
  questions = 0
  held.clear()
  call('Runtime.releaseObjectGroup', { objectGroup: HELD_GROUP })
}

// #endregion

/** Sources that were read ahead, until they are asked for. */
const sources = new Map<string, string>()
/** Sources are large, and most that were read ahead are asked for at once. */
const KEPT_SOURCES = 8

function readSource({ id }: Script): string {
  const { scriptSource } = call<Debugger.GetScriptSourceReturnType>('Debugger.getScriptSource', {
    scriptId: id,
  })
  sources.set(id, scriptSource)
  if (sources.size > KEPT_SOURCES) sources.delete(sources.keys().next().value as string)
  return scriptSource
}

/** @returns a script's source as the engine compiled it. */
export function sourceOf(script: Script): string {
  return sources.get(script.id) ?? withDebugger(() => readSource(script))
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
