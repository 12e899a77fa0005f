/**
 * The scripts of this thread, as far as they are known.
 *
 * @module
 */
import type { Debugger, InspectorNotification } from 'node:inspector'

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

const scripts = new Map<string, Script>()
/** Scripts up to this number are known; those that are not in the map have no name. */
let newest = -1
let newestSeen = -1

/** Takes what the debugger tells of a script. */
export function rememberScript({
  params,
}: InspectorNotification<Debugger.ScriptParsedEventDataType>): void {
  const { scriptId: id, url, isModule = false, startLine, startColumn } = params
  newestSeen = Math.max(newestSeen, Number(id))
  // Programs that generate code make many scripts without a name, of which none is needed again.
  if (url !== '' && !scripts.has(id)) keepScript({ id, url, isModule, startLine, startColumn })
}

/** Says that the debugger has told of all scripts that there are now. */
export function allScriptsKnown(): void {
  newest = newestSeen
}

export function keepScript(script: Script): Script {
  scripts.set(script.id, script)
  return script
}

/** @returns the script of a number, or undefined if nothing is known of it yet. */
export function knownScript(id: string): Script | undefined {
  const known = scripts.get(id)
  return known ?? (Number(id) > newest ? undefined : unnamedScript(id))
}

export function unnamedScript(id: string): Script {
  return { id, url: '', isModule: false, startLine: 0, startColumn: 0 }
}
