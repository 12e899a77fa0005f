/**
 * What only the engine knows of a function: where it was defined, and what it captured.
 *
 * Where a function is defined, and what it captured, can be asked without a debugger; which file that is, only with one (15 ms,
 * once), or from the stack.
 *
 * @module
 */
import type { Debugger, Runtime } from 'node:inspector'
import {
  InspectorUnavailableError,
  call,
  idOf,
  itemsOf,
  propertiesOf,
  withDebugger,
  withNames,
} from './inspector-session.js'
import { isMainAsInFile, mainSource } from './main-source.js'
import { keepScript, knownScript, unnamedScript, type Script } from './scripts.js'
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
  readonly #fn: Callable
  readonly #scopesId: string | undefined
  #scopes: CapturedScope[] | undefined

  constructor(fn: Callable) {
    this.#fn = fn
    const { internalProperties = [] } = propertiesOf(idOf(fn))
    const named = (name: string): Runtime.RemoteObject | undefined =>
      internalProperties.find((property) => property.name === name)?.value
    const place = named('[[FunctionLocation]]')?.value as Debugger.Location | undefined
    this.#scopesId = named('[[Scopes]]')?.objectId
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
    const url = scriptsOnStack(call, idOf).get(id)
    if (url === undefined) return undefined
    const isModule = this.scopes().some(({ description }) => description === 'Module')
    const source = mainSource(url, isModule, this.#fn, place)
    if (source === undefined) return undefined
    sources.set(id, source)
    return keepScript({ id, url, isModule, startLine: 0, startColumn: 0 })
  }

  /** @returns the scopes it closes over, with copies of their variables' values. */
  scopes(): CapturedScope[] {
    return (this.#scopes ??= this.#askForScopes())
  }

  #askForScopes(): CapturedScope[] {
    if (this.#scopesId === undefined) return []
    const list = itemsOf<{ description: string; object: Record<string, unknown> }>(this.#scopesId)
    return list
      .filter(({ description }) => description !== 'Global')
      .map(({ description, object }) => ({ description, variables: object }))
  }
}

/** Looks at a function. */
export function inspect<T>(fn: Callable, use: (inspection: Inspection) => T): T {
  return withNames(() => use(new Inspection(fn)))
}

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
