/**
 * Code that came from another process, evaluated here.
 *
 * It is compiled under its original file name and position, so that stacks point at the source,
 * through its source map where Node looks at those.
 *
 * @module
 */
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compileFunction } from 'node:vm'
import { compile as compileSource } from '../modules/compile.js'
import { importerOf, metaOf, requireOf } from '../modules/stand-ins.js'
import type { Code } from './code.js'
import { forgetCode, markOf, type Factory, type ReceivedCode } from './registry.js'
import { IMPORT, META } from './supplied-names.js'

type Callable = (...args: never[]) => unknown

/** Makes the function of a code. @returns it, and the setter of its captured variables. */
export function evaluate(
  received: ReceivedCode,
  eager: readonly unknown[],
): [Callable, (values: unknown[]) => void] {
  const { code } = received
  try {
    received.factory ??= compile(code)
  } catch (error) {
    forgetCode(code)
    throw error
  }
  return received.factory(...eager, ...code.supplied.map((name) => supply(name, code.url)))
}

function compile(code: Code): Factory {
  const { body, eager, supplied, url, line, column, prefixLength } = code
  const mapped = registerMap(code)
  const mark = markOf(code)
  const factory = compileFunction(mark + body, [...eager, ...supplied], {
    filename: mapped ?? (url || 'sent-by-value'),
    lineOffset: mapped === undefined ? line : 0,
    columnOffset: (mapped === undefined ? column : 0) - mark.length - prefixLength,
  }) as Factory
  // Called without a receiver: at the top level of a module, `this` is undefined.
  return (...parameters) => factory.apply(undefined, parameters)
}

/** In two parts: tools that look for such a comment would take this for one of this file. */
const MAP_COMMENT = ['\n//# source', 'MappingURL='].join('')

/**
 * Makes Node know the original lines of a code.
 *
 * Node takes a map from a source that it compiles as CommonJS; an empty one does.
 *
 * @returns the URL under which it knows them; undefined when it does not look at maps.
 */
function registerMap({ map, url, hash }: Code): string | undefined {
  if (map === undefined || !url.startsWith('file:') || !process.sourceMapsEnabled) return undefined
  const { source, mappings } = map
  const json = JSON.stringify({ version: 3, sources: [source], names: [], mappings })
  const data = Buffer.from(json).toString('base64')
  const file = `${fileURLToPath(url)}-${hash}`
  compileSource(`${MAP_COMMENT}data:application/json;base64,${data}`, file, 'commonjs')
  return pathToFileURL(file).href
}

/** What the module system gives to the code of a file. */
function supply(name: string, url: string): unknown {
  switch (name) {
    case META:
      return metaOf(url)
    case IMPORT:
      return importerOf(url)
    case 'require':
      return requireOf(url)
    case '__filename':
      return metaOf(url).filename
    case '__dirname':
      return metaOf(url).dirname
  }
  return undefined
}
