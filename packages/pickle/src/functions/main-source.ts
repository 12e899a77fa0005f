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
import { fileURLToPath } from 'node:url'
import { isEsmSource } from '../modules/loaded.js'
import { isMainModule } from '../modules/main.js'
import { offsetAt } from './source.js'

type Callable = (...args: never[]) => unknown

/** Options by which code runs before the main module, and may change how it is loaded. */
const PRELOADS = /(?:^|\s)(?:-r|--(?:require|import|loader|experimental-loader))\b/

/**
 * @param isModule whether the engine has it as an ES module.
 * @param fn a function in it, at a place in it.
 * @returns the source, or undefined where it is not certain that the file is what was compiled.
 */
export function mainSource(
  url: string,
  isModule: boolean,
  fn: Callable,
  place: { line: number; column: number },
): string | undefined {
  if (!isMainModule(url) || !url.startsWith('file:') || !/\.[cm]?js$/.test(url)) return undefined
  if (PRELOADS.test([...process.execArgv, process.env['NODE_OPTIONS']].join(' '))) return undefined
  try {
    const file = fileURLToPath(url)
    // A file that was changed since the start is another one.
    if (statSync(file).mtimeMs >= performance.timeOrigin) return undefined
    if (isEsmSource(file) !== isModule) return undefined
    const source = readFileSync(file, 'utf8')
    return standsAt(source, Function.prototype.toString.call(fn), place) ? source : undefined
  } catch {
    // Not there any more, or not to be read: the debugger knows.
    return undefined
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
