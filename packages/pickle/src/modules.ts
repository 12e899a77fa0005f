/**
 * Modules by URL or specifier: finding loaded ones, and loading others, waiting or not.
 *
 * Everything goes through `Module.prototype._compile`, which Node's loaders have had for as long
 * as `require` and which takes a format since `require(esm)` exists. It lets us do three things
 * that no documented function does on Node 20: get the namespace of an ES module that is already
 * loaded (a source that cannot be parsed is never looked at then), import relative to a file that
 * is not loaded here, and resolve relative to it.
 *
 * @module
 */
import { readFileSync, realpathSync } from 'node:fs'
import { createRequire, isBuiltin, Module } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { types } from 'node:util'
import { UnpicklingError } from './errors.js'

/** A module as a message names it. */
export interface ModuleName {
  readonly specifier: string
  /** URL of the module in which the specifier stands; empty when it is a URL itself. */
  readonly parent: string
  /** `import`, `import:json`, `require`, `require-esm` or `require-node`. */
  readonly kind: string
}

type Compilable = Module & {
  filename: string
  paths: string[]
  _compile(source: string, filename: string, format?: string): void
}

/** Compiles a source under a file's name, without the file. @returns its exports or namespace. */
function compile(source: string, filename: string, format: 'module' | 'commonjs'): unknown {
  const module = new Module(filename) as Compilable
  module.filename = filename
  module.paths = []
  module._compile(source, filename, format)
  return module.exports as unknown
}

// #region The main module

let mainUrls: Set<string> | undefined

/** True for the file that the program was started with. */
export function isMainModule(url: string): boolean {
  mainUrls ??= findMain()
  return mainUrls.has(url)
}

function findMain(): Set<string> {
  const found = new Set<string>()
  const { main } = createRequire(import.meta.url)
  const files = [process.argv[1], main?.filename]
  for (const file of files) {
    if (!file) continue
    found.add(pathToFileURL(file).href)
    try {
      found.add(pathToFileURL(realpathSync(file)).href)
    } catch (error) {
      // `-e`, or a name without its extension: the other candidates stand.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return found
}

// #endregion
// #region Modules that are loaded

/** Namespaces that this process imported for a message. */
const imported = new Map<string, unknown>()

const NEVER_VALID = ')'

/** @returns the namespace of an ES module if it is loaded and has been evaluated, or undefined. */
export function loadedNamespace(url: string): object | undefined {
  const known = imported.get(keyOf({ specifier: url, parent: '', kind: 'import' }))
  if (known !== undefined) return known as object
  if (!url.startsWith('file:')) return undefined
  try {
    // The loader returns a module it has before it looks at the source.
    return compile(NEVER_VALID, fileURLToPath(url), 'module') as object
  } catch {
    // Not loaded (a syntax error), being evaluated, or with a top-level await: not to be had so.
    return undefined
  }
}

/** @returns the exports of a file that `require` has loaded, or undefined. */
export function loadedExports(file: string): { exports: unknown } | undefined {
  const cache = (Module as unknown as { _cache: Record<string, NodeJS.Module | undefined> })._cache
  return cache[file]
}

/**
 * The one copy of a module that this process has, if any: as ES module, or, where a loader makes
 * CommonJS of ES modules, as that.
 */
function residentModule(url: string): object | undefined {
  const namespace = loadedNamespace(url)
  if (namespace !== undefined || !url.startsWith('file:')) return namespace
  const file = fileURLToPath(url)
  const loaded = loadedExports(file)
  return loaded && likeEsm(loaded.exports, !isEsmFile(file))
}

/** True for what Node takes for an ES module: by extension, or by the nearest package.json. */
function isEsmFile(file: string): boolean {
  if (file.endsWith('.mjs')) return true
  if (!file.endsWith('.js')) return false
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

/** What `import` gives for CommonJS exports: their names, and all of them as `default`. */
function likeEsm(exports: unknown, nodeMode: boolean): object {
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

// #endregion
// #region In place of a module that is not loaded here

type Importer = (specifier: string, options?: unknown) => Promise<unknown>

const importers = new Map<string, Importer>()

/** The `import()` of a module: relative to it, with whatever loader the process has. */
export function importerOf(parent: string): Importer {
  let importer = importers.get(parent)
  if (importer === undefined) {
    const source = 'module.exports = (specifier, options) => import(specifier, options)'
    importer = compile(source, fileOf(parent), 'commonjs') as Importer
    importers.set(parent, importer)
  }
  return importer
}

/** The `require` of a module. */
export function requireOf(parent: string): NodeJS.Require {
  return createRequire(parent.startsWith('file:') ? parent : import.meta.url)
}

const metas = new Map<string, ImportMeta>()

/** An `import.meta` like that of a module that is not loaded here. */
export function metaOf(url: string): ImportMeta {
  let meta = metas.get(url)
  if (meta === undefined) {
    const filename = fileOf(url)
    meta = Object.assign(Object.create(null) as ImportMeta, {
      dirname: dirname(filename),
      filename,
      url,
      resolve: (specifier: string) => resolverOf(url)(specifier),
    })
    metas.set(url, meta)
  }
  return meta
}

const resolvers = new Map<string, (specifier: string) => string>()

/** The resolution of a module's specifiers, with the loader's own rules and hooks. */
function resolverOf(parent: string): (specifier: string) => string {
  let resolver = resolvers.get(parent)
  if (resolver === undefined) {
    // A module beside the parent; its extension tells a TypeScript loader what the parent is.
    const file = fileOf(parent).replace(/(\.[^./\\]*)?$/, '.mp-pickle-resolver$1')
    const { meta } = compile('export const meta = import.meta', file, 'module') as {
      meta: ImportMeta
    }
    resolver = (specifier) => meta.resolve(specifier)
    resolvers.set(parent, resolver)
  }
  return resolver
}

/** The file of a URL; for code without one, a name in the current directory. */
function fileOf(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url) : join(process.cwd(), '[eval].mjs')
}

// #endregion
// #region Loading

function keyOf({ specifier, parent, kind }: ModuleName): string {
  return `${kind} ${parent} ${specifier}`
}

/** Loads a module with `import()`, for {@link loadNow} to find it. */
export async function loadAhead(name: ModuleName): Promise<void> {
  const { specifier, parent, kind } = name
  if (!kind.startsWith('import') || imported.has(keyOf(name))) return
  const resident = parent === '' ? residentModule(specifier) : undefined
  if (resident !== undefined) return void imported.set(keyOf(name), resident)
  const type = kind.slice('import:'.length)
  const options = type ? { with: { type } } : undefined
  imported.set(keyOf(name), await importerOf(parent)(specifier, options))
}

/** Loads a module at once. @returns its namespace, or its exports for a CommonJS one. */
export function loadNow(name: ModuleName): unknown {
  const key = keyOf(name)
  let module = imported.get(key)
  if (module === undefined) {
    module = load(name)
    imported.set(key, module)
  }
  return module
}

function load({ specifier, parent, kind }: ModuleName): unknown {
  if (kind.startsWith('require')) {
    const exports = requireFrom(parent, specifier)
    return kind === 'require' ? exports : likeEsm(exports, kind === 'require-node')
  }
  const url = isBuiltin(specifier) || !parent ? specifier : resolverOf(parent)(specifier)
  if (isBuiltin(url)) return likeEsm(requireOf('')(url), true)
  if (!url.startsWith('file:')) {
    throw new UnpicklingError(`Cannot load ${url} without waiting; use loadsAsync`)
  }
  return residentModule(url) ?? loadFile(fileURLToPath(url))
}

/** What `require` gives, but one copy only of a module that is an ES module. */
function requireFrom(parent: string, specifier: string): unknown {
  const require = requireOf(parent)
  const file = parent ? require.resolve(specifier) : fileURLToPath(specifier)
  if (!isBuiltin(file) && isEsmFile(file)) {
    return loadedNamespace(pathToFileURL(file).href) ?? loadFile(file)
  }
  return require(file) as unknown
}

function loadFile(file: string): unknown {
  if (file.endsWith('.json')) {
    return { default: JSON.parse(readFileSync(file, 'utf8')) as unknown }
  }
  // A loader that turns ES modules into CommonJS for require() would make a second copy of it.
  if (isEsmFile(file)) return compile(readFileSync(file, 'utf8'), file, 'module')
  const exports: unknown = requireOf('')(file)
  return types.isModuleNamespaceObject(exports) ? exports : likeEsm(exports, true)
}

// #endregion
