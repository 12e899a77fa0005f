/**
 * Functions and classes by reference: as (module, path of exports).
 *
 * A function is looked for in the module whose script defines it, never in the main module: the
 * receiver would run the program again. What is found is compared by identity, so a reference
 * that works means the same function.
 *
 * @module
 */
import { builtinModules } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { requiredModule, loadedNamespace } from '../modules/loaded.js'
import { isMainModule } from '../modules/main.js'
import { loadedModules } from './import-graph.js'
import { readVariable, type Inspection } from './inspector.js'
import { indexValue, intrinsicPath, latePath } from './intrinsics.js'
import type { Script } from './scripts.js'
import { isNative } from './source.js'
import { unitOf } from './units.js'
import { Unsendable } from './unsendable-error.js'

type Callable = (...args: never[]) => unknown

/** Where the receiver finds the same function. */
export interface ExportReference {
  readonly specifier: string
  readonly kind: 'import' | 'require'
  readonly path: readonly string[]
}

/** How deep below an export to look: `exports.api.Client.prototype.method` is four. */
const MAX_PATH = 4

/** Finds an exported function or class by its place. */
export function exportReference(
  fn: Callable,
  inspection: Inspection,
  script: Script,
): ExportReference | undefined {
  const { url } = script
  if (!url.startsWith('file:') || isMainModule(url)) return undefined
  if (!script.isModule) {
    const file = fileURLToPath(url)
    const module = requiredModule(file)
    if (module === undefined) return undefined
    const path = pathTo(fn, module.exports)
    // A module may run a script that is in another file than it is, as ours do. One that was put there by hand may have no name.
    const { filename = file } = module as Partial<NodeJS.Module>
    return path && { specifier: pathToFileURL(filename).href, kind: 'require', path }
  }
  const namespace = loadedNamespace(url) ?? exportsSeenFrom(inspection, script)
  const path = pathTo(fn, namespace)
  return path && { specifier: url, kind: 'import', path }
}

/**
 * The exports of a module that is still being evaluated, or has a top-level await: taken from the
 * scope that one of its functions closes over.
 */
function exportsSeenFrom(inspection: Inspection, script: Script): object {
  const scopes = inspection.scopes().filter(({ description }) => description === 'Module')
  const found: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, local] of unitOf(script).analysis.exports) {
    const variable = readVariable(scopes, local)
    if (typeof variable === 'object') found[name] = variable.value
  }
  return found
}

/** Finds an exported function or class without knowing its place: through all modules there are. */
export function referenceAnywhere(fn: Callable): ExportReference | undefined {
  for (const { url, kind, exports } of loadedModules()) {
    const path = isMainModule(url) ? undefined : pathTo(fn, exports)
    if (path !== undefined) return { specifier: url, kind, path }
  }
  return undefined
}

/** Breadth first through data properties: the shortest path from an object to a function. */
function pathTo(target: Callable, from: unknown): string[] | undefined {
  if (from === target) return []
  const seen = new Set<unknown>()
  let level: { value: unknown; path: string[] }[] = [{ value: from, path: [] }]
  for (let depth = 0; depth < MAX_PATH && level.length > 0; depth++) {
    const next: typeof level = []
    for (const { value, path } of level) {
      if (!isContainer(value) || seen.has(value)) continue
      seen.add(value)
      for (const name of Object.getOwnPropertyNames(value)) {
        const member = valueAt(value, name)
        if (member === target) return [...path, name]
        if (name !== 'constructor') next.push({ value: member, path: [...path, name] })
      }
    }
    level = next
  }
  return undefined
}

function valueAt(container: object, name: string): unknown {
  try {
    const descriptor = Object.getOwnPropertyDescriptor(container, name)
    // Compilers make exports of ES modules getters in CommonJS. Other getters may do anything.
    if (descriptor?.get && Object.hasOwn(container, '__esModule')) {
      return (container as Record<string, unknown>)[name]
    }
    return descriptor?.value
  } catch (error) {
    // An export of a module that is still being evaluated.
    if (error instanceof ReferenceError) return undefined
    throw error
  }
}

/** Modules, classes and plain objects are searched; other objects are state, not interface. */
function isContainer(value: unknown): value is object {
  if (typeof value === 'function') return !isNative(value as Callable)
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.hasOwn(value, 'constructor')
}

/**
 * Finds a function of Node or ECMAScript.
 *
 * @param url of its script; empty for native ones.
 * @throws Unsendable when no name leads to it.
 */
export function builtinReference(fn: Callable, url: string): readonly string[] {
  const found = intrinsicPath(fn) ?? findInModules(fn, url) ?? latePath(fn)
  if (found !== undefined) return found
  const native = isNative(fn)
  if (native && fn.name.startsWith('bound ')) {
    throw new Unsendable('is a bound function; send a function that calls it')
  }
  throw new Unsendable(
    `is ${native ? `a native function${fn.name && ` (${fn.name})`}` : 'a function that Node made'}, ` +
      'which another process cannot find; create it in the child (initializer)',
  )
}

const indexes = new Map<string, Map<object, readonly string[]>>()

/** Looks through Node's modules: first the one that defines the function, then all that are loaded. */
function findInModules(fn: Callable, url: string): readonly string[] | undefined {
  const likely = url.replace(/^node:internal\/(?:\w+\/)?/, 'node:')
  const loaded = (process as unknown as { moduleLoadList: string[] }).moduleLoadList
    .filter((entry) => entry.startsWith('NativeModule '))
    .map((entry) => entry.slice('NativeModule '.length))
  for (const name of [likely.slice('node:'.length), ...loaded]) {
    if (!builtinModules.includes(name) || name.startsWith('_')) continue
    let index = indexes.get(name)
    if (index === undefined) {
      index = new Map()
      const builtin = process.getBuiltinModule(`node:${name}`) as object
      const path = [`node:${name}`]
      indexValue(index, builtin, path, 2)
      for (const inner of ['promises', 'posix', 'win32', 'types', 'webcrypto']) {
        const value: unknown = (builtin as Record<string, unknown>)[inner]
        if (typeof value === 'object' && value !== null)
          indexValue(index, value, [...path, inner], 1)
      }
      indexes.set(name, index)
    }
    const found = index.get(fn)
    if (found !== undefined) return found
  }
  return undefined
}
