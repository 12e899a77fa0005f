/**
 * The source of the main module, from its file.
 *
 * Most functions that are sent by value stand in the main module, and its file is what the engine
 * compiled, unless something came between. The engine itself tells its source only to a debugger,
 * which takes longer to switch on than all the rest of sending a first function.
 *
 * @module
 */
import { readFileSync, statSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'
import { isEsmSource } from '../modules/loaded.js'
import { isMainModule } from '../modules/main.js'
import { offsetAt } from './source.js'

type Callable = (...args: never[]) => unknown

/** Options by which code runs before the main module, and may change how it is loaded. */
const PRELOADS = /(?:^|\s)(?:-r|--(?:require|import|loader|experimental-loader))\b/

/** True unless something may have changed the main module before it was compiled. */
export function isMainAsInFile(): boolean {
  return !PRELOADS.test([...process.execArgv, process.env['NODE_OPTIONS']].join(' '))
}

/**
 * @param isModule whether the engine has it as an ES module.
 * @param fn a function in it, at a place in it.
 * @returns the source, if {@link isMainAsInFile}, or undefined where it is not certain that the file is what was compiled.
 */
export function mainSource(
  url: string,
  isModule: boolean,
  fn: Callable,
  place: { line: number; column: number },
): string | undefined {
  if (!isMainModule(url) || !url.startsWith('file:')) return undefined
  try {
    const file = fileURLToPath(url)
    // A file that was changed since the start is another one.
    if (statSync(file).mtimeMs >= performance.timeOrigin) return undefined
    if (isEsmSource(file) !== isModule) return undefined
    const source = compiledText(file)
    const text = Function.prototype.toString.call(fn)
    return source !== undefined && standsAt(source, text, place) ? source : undefined
  } catch {
    // Not there any more, or not to be read: the debugger knows.
    return undefined
  }
}

/** What Node makes of a file that no loader has changed. */
function compiledText(file: string): string | undefined {
  if (/\.[cm]?js$/.test(file)) return readFileSync(file, 'utf8')
  return /\.[cm]?ts$/.test(file) ? withoutTypes(readFileSync(file, 'utf8')) : undefined
}

/** Does to TypeScript what Node did when it loaded it: types become spaces. */
function withoutTypes(source: string): string | undefined {
  const { features } = process as { features: { typescript?: string | false } }
  const { stripTypeScriptTypes } = nodeModule as { stripTypeScriptTypes?: (code: string) => string }
  if (features.typescript !== 'strip') return undefined
  const { emitWarning } = process
  try {
    // That it is experimental is said to those who call it. The program does not.
    process.emitWarning = () => {}
    return stripTypeScriptTypes?.(source)
  } finally {
    process.emitWarning = emitWarning
  }
}

function standsAt(
  source: string,
  text: string,
  { line, column }: { line: number; column: number },
): boolean {
  const offset = offsetAt(source, line) + column
  const start = source.lastIndexOf(text, offset)
  return start !== -1 && offset < start + text.length
}
