/**
 * Modules that this process has already.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { Module } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile } from './compile.js'

const NEVER_VALID = ')'

/** A module that has been evaluated stays: to ask for it takes as long as a dozen small messages. */
const namespaces = new Map<string, object>()

/** @returns the namespace of an ES module if it is loaded and has been evaluated, or undefined. */
export function loadedNamespace(url: string): object | undefined {
  if (!url.startsWith('file:')) return undefined
  const known = namespaces.get(url)
  if (known !== undefined) return known
  try {
    // The loader returns a module it has before it looks at the source.
    const namespace = compile(NEVER_VALID, fileURLToPath(url), 'module') as object
    namespaces.set(url, namespace)
    return namespace
  } catch {
    // Not loaded (a syntax error), being evaluated, or with a top-level await: not to be had so.
    return undefined
  }
}

/** @returns the module of a file that `require` has loaded, or undefined. */
export function requiredModule(file: string): NodeJS.Module | undefined {
  const cache = (Module as unknown as { _cache: Record<string, NodeJS.Module | undefined> })._cache
  return cache[file]
}

/**
 * The one copy of a module that this process has, if any: as ES module, or, where a loader makes
 * CommonJS of ES modules, as that.
 */
export function residentModule(url: string): object | undefined {
  const namespace = loadedNamespace(url)
  if (namespace !== undefined || !url.startsWith('file:')) return namespace
  const file = fileURLToPath(url)
  const loaded = requiredModule(file)
  return loaded && likeEsm(loaded.exports, !isEsmSource(file))
}

/** True for what is an ES module by its extension or the nearest package.json, also in TypeScript. */
export function isEsmSource(file: string): boolean {
  if (/\.m[jt]s$/.test(file)) return true
  if (!/\.[jt]sx?$/.test(file)) return false
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    try {
      const text = readFileSync(join(directory, 'package.json'), 'utf8')
      return (JSON.parse(text) as { type?: string }).type === 'module'
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    if (directory === dirname(directory)) return false
  }
}

/** True for ES modules that Node can load without the help of a loader. */
export function isEsmFile(file: string): boolean {
  return /\.m?js$/.test(file) && isEsmSource(file)
}

/** What `import` gives for CommonJS exports: their names, and all of them as `default`. */
export function likeEsm(exports: unknown, nodeMode: boolean): object {
  const namespace: object = {}
  const members =
    (typeof exports === 'object' && exports !== null) || typeof exports === 'function'
      ? (exports as Record<string, unknown>)
      : {}
  if (members['__esModule'] === true && !nodeMode) return members
  for (const name of Object.keys(members)) {
    if (name === 'default') continue
    Object.defineProperty(namespace, name, { enumerable: true, get: () => members[name] })
  }
  return Object.defineProperty(namespace, 'default', { value: exports, enumerable: true })
}
