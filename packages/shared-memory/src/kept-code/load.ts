/**
 * Loads a package's modules from one file or two: `lib/load.cjs` of each package, which the build makes of this one.
 *
 * Modules that are loaded one by one take ten times as long, and have to be compiled in every process. `code.cjs` and
 * `late.cjs`, which the build makes of all of a package's modules, are run as they were compiled for another process.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { directoryForCode, variantOfCode } from './place.js'
import { KeptScript } from './script.js'

/** The package, without its scope, and its version; from the build. */
declare const PACKAGE: string
/** What is in `late.cjs`, if there is one; from the build. */
declare const LATE: readonly string[]

/** What modules export, by their names. */
type Parts = Record<string, object>

/** What `code.cjs` and `late.cjs` are. */
type Code = (
  partOf: (name: string, part: string) => unknown,
  url: string,
  runKept: typeof run,
  common: Parts,
) => {
  /** What can be had of the package. */
  readonly parts: Parts
  /** Of `code.cjs`: what `late.cjs` uses of it. */
  readonly common: Parts
}

const others = new Map<string, Parts>()
const { parts, common } = load('code', {})
module.exports = parts
for (const name of LATE) {
  const getter = { get: () => loadLate()[name], enumerable: true, configurable: true }
  Object.defineProperty(parts, name, getter)
}

function load(name: string, common: Parts): ReturnType<Code> {
  const filename = `${__dirname}/${name}.cjs`
  const bytes = readFileSync(filename)
  // All of it is ASCII.
  const text = bytes.toString('latin1')
  const code = run(name === 'code' ? PACKAGE : `${PACKAGE}-${name}`, filename, bytes, text) as Code
  // Whoever looks for the module of a function finds this one.
  require.cache[filename] = module
  return code(partOf, pathToFileURL(filename).href, run, common)
}

/** What only some processes need is there from when it is first asked for. */
function loadLate(): Parts {
  const late = load('late', common).parts
  for (const name of LATE) {
    Object.defineProperty(parts, name, { value: late[name], enumerable: true })
  }
  return late
}

/** Runs a script as it was compiled for another process. One that was not is kept for others when this one ends. */
function run(name: string, filename: string, bytes: Buffer, text: string): unknown {
  const directory = directoryForCode(process.env)
  const keptAt = directory && `${directory}/${name}-${variantOfCode(process.env, process.execArgv)}`
  const kept = new KeptScript({ text, bytes, filename, keptAt })
  if (kept.isNew && isMainThread) atExit(() => kept.keepWhole())
  return kept.script.runInThisContext()
}

/** By one listener for all packages: with eleven, Node would warn. */
function atExit(callback: () => void): void {
  const shared = globalThis as Record<symbol, unknown>
  const place = Symbol.for('@mp/kept-code')
  const callbacks = shared[place] as (() => void)[] | undefined
  if (callbacks !== undefined) {
    callbacks.push(callback)
    return
  }
  const all = [callback]
  shared[place] = all
  const { pid } = process
  process.once('exit', () => {
    // Not of a process that is a copy of this one.
    if (process.pid === pid) for (const keep of all) keep()
  })
}

/** Of another package: its one copy, whether it is imported or required. */
function partOf(name: string, part: string): unknown {
  let parts = others.get(name)
  if (parts === undefined) {
    parts = require(loaderOf(name)) as Parts
    others.set(name, parts)
  }
  return parts[part]
}

/** Looked for as `require` does it, which then reads the package.json of what it finds: that takes ten times as long. */
function loaderOf(name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    const file = `${folder}/${name}/lib/load.cjs`
    if (existsSync(file)) return file
  }
  // Where packages are not in folders of that name (Yarn's Plug'n'Play).
  return `${dirname(require.resolve(`${name}/package.json`))}/lib/load.cjs`
}
