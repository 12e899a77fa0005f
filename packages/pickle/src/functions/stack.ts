/**
 * Which scripts are being executed: their numbers and URLs.
 *
 * Newer versions of Node tell it (`util.getCallSites`). For the others, an inspector that reports
 * exceptions does, without a debugger.
 *
 * @module
 */
import type { Runtime } from 'node:inspector'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as util from 'node:util'

interface CallSite {
  readonly scriptId?: string
  readonly scriptName: string
}

const { getCallSites } = util as unknown as {
  getCallSites?: (frames: number) => readonly CallSite[]
}

const MAX_FRAMES = 200

type Call = <T>(method: string, params: object) => T

/**
 * @param call calls the inspector.
 * @param idOf gives the inspector's name for an error.
 */
export function scriptsOnStack(
  call: Call,
  idOf: (error: Error) => string,
): ReadonlyMap<string, string> {
  const sites = getCallSites?.(MAX_FRAMES) ?? []
  if (sites[0]?.scriptId !== undefined) {
    return new Map(sites.map(({ scriptId, scriptName }) => [scriptId!, urlOf(scriptName)]))
  }
  call('Runtime.enable', {})
  try {
    const { exceptionDetails } = call<{ exceptionDetails?: Runtime.ExceptionDetails }>(
      'Runtime.getExceptionDetails',
      { errorObjectId: idOf(new Error('for its stack')) },
    )
    const frames = exceptionDetails?.stackTrace?.callFrames ?? []
    return new Map(frames.map(({ scriptId, url }) => [scriptId, url]))
  } finally {
    call('Runtime.disable', {})
  }
}

/** @returns where the calls stand, of code of a file, that are going on: lines and columns from 0. */
export function framesOf(url: string): readonly { line: number; column: number }[] {
  const { stackTraceLimit } = Error
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
  let sites: NodeJS.CallSite[] = []
  try {
    Error.stackTraceLimit = Infinity
    Error.prepareStackTrace = (_, all) => void (sites = all)
    // Reading it is what makes it.
    void new Error('for its stack').stack
  } finally {
    if (prepare === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
    else Object.defineProperty(Error, 'prepareStackTrace', prepare)
    Error.stackTraceLimit = stackTraceLimit
  }
  const file = fileURLToPath(url)
  return sites.flatMap((site) => {
    const name = site.getFileName()
    if (name !== url && name !== file) return []
    return { line: (site.getLineNumber() ?? 1) - 1, column: (site.getColumnNumber() ?? 1) - 1 }
  })
}

function urlOf(name: string): string {
  return isAbsolute(name) ? pathToFileURL(name).href : name
}
