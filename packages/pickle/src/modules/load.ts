/**
 * Loading the modules that a message names, waiting or not.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { types } from 'node:util'
import { UnpicklingError } from '../errors.js'
import { compile } from './compile.js'
import {
  isEsmFile,
  isEsmSource,
  likeEsm,
  requiredModule,
  loadedNamespace,
  residentModule,
} from './loaded.js'
import { importerOf, requireOf, resolverOf } from './stand-ins.js'

/** The code of an error of Node's, and ours: a module with a top-level await cannot be loaded at once. */
export const AWAITED_MODULE = 'ERR_REQUIRE_ASYNC_MODULE'

/**
 * A module as a message names it.
 *
 * @internal
 */
export interface ModuleName {
  readonly specifier: string
  /** URL of the module in which the specifier stands; empty when it is a URL itself. */
  readonly parent: string
  /** `import`, `import:json`, `require`, `require-esm` or `require-node`. */
  readonly kind: string
}

class AwaitedModuleError extends UnpicklingError {
  override readonly code: string = AWAITED_MODULE
}

/** Modules that this process loaded for a message. */
const imported = new Map<string, unknown>()

function keyOf({ specifier, parent, kind }: ModuleName): string {
  return `${kind} ${parent} ${specifier}`
}

/**
 * Loads a module with `import()`, for {@link loadNow} to find it.
 *
 * @internal
 */
export async function loadAhead(name: ModuleName): Promise<void> {
  const { specifier, parent, kind } = name
  if (!kind.startsWith('import') || imported.has(keyOf(name))) return
  // What is loaded as an ES module, import() finds by itself.
  const mayBeCommonJs = parent === '' && specifier.startsWith('file:')
  const resident =
    mayBeCommonJs && requiredModule(fileURLToPath(specifier))
      ? residentModule(specifier)
      : undefined
  if (resident !== undefined) return void imported.set(keyOf(name), resident)
  const type = kind.slice('import:'.length)
  const options = type ? { with: { type } } : undefined
  imported.set(keyOf(name), await importerOf(parent)(specifier, options))
}

/** Loads a module that messages name by its URL, for those that follow to find it. */
export async function loadByUrl(url: string): Promise<void> {
  const name = { specifier: url, parent: '', kind: kindOf(url) }
  await loadAhead(name)
  loadNow(name)
}

/** How a module is loaded that is named by its URL: what is CommonJS by its name can be had without waiting. */
export function kindOf(url: string): 'import' | 'require-node' {
  return url.endsWith('.cjs') ? 'require-node' : 'import'
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
    throw new AwaitedModuleError(`Cannot load ${url} without waiting; use loadsAsync`)
  }
  return (
    imported.get(keyOf({ specifier: url, parent: '', kind: 'import' })) ??
    residentModule(url) ??
    loadFile(fileURLToPath(url))
  )
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
  return types.isModuleNamespaceObject(exports) ? exports : likeEsm(exports, !isEsmSource(file))
}
