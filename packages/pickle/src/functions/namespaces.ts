/**
 * What the module system gave to a program, as values: namespaces, builtin modules, `require`, `import.meta`.
 *
 * None of them can be copied, and all of them can be had again by the receiver.
 *
 * @module
 */
import { builtinModules, createRequire, Module } from 'node:module'
import { join } from 'node:path'
import { types } from 'node:util'
import { reduceSymbol, type Reduced } from '../hooks.js'
import { loadedNamespace } from '../modules/loaded.js'
import { isMainModule } from '../modules/main.js'
import { STAND_INS } from '../modules/stand-ins.js'
import { loadedModules } from './import-graph.js'
import { inspect } from './inspector.js'
import type { Callable, MadeRecord } from './records.js'
import type { ImportSource } from './scopes.js'

/** @returns the specifier of the module of a namespace; undefined for the main one, and when it cannot be found. */
export function moduleOfNamespace(namespace: object): string | undefined {
  const { default: whole } = namespace as { default?: unknown }
  const builtin = builtinNamed(whole)
  if (builtin !== undefined) return builtin
  const url = urlOfMember(namespace) ?? urlInGraph(namespace)
  return url === undefined || isMainModule(url) ? undefined : url
}

/** Most modules define one of the functions that they export. */
function urlOfMember(namespace: object): string | undefined {
  for (const name of Object.keys(namespace)) {
    const member = memberOf(namespace, name)
    if (typeof member !== 'function' || types.isProxy(member)) continue
    const url = inspect(member as Callable, ({ location }) => location?.script.url)
    const candidate = url === undefined ? undefined : loadedNamespace(url)
    if (candidate !== undefined && isSame(candidate, namespace)) return url
  }
  return undefined
}

function urlInGraph(namespace: object): string | undefined {
  const whole = memberOf(namespace, 'default')
  for (const { url, kind, exports } of loadedModules()) {
    // Importing a CommonJS module gives its exports as default.
    if (kind === 'import' && isSame(exports as object, namespace)) return url
    if (kind === 'require' && whole !== undefined && exports === whole) return url
  }
  return undefined
}

/** What `require` gives of a module with a default export is a namespace of its own, with `__esModule`. */
function isSame(candidate: object, namespace: object): boolean {
  if (candidate === namespace) return true
  const names = Object.keys(candidate).filter((name) => name !== '__esModule')
  return (
    names.length === Object.keys(namespace).filter((name) => name !== '__esModule').length &&
    names.every(
      (name) =>
        name in namespace && Object.is(memberOf(candidate, name), memberOf(namespace, name)),
    )
  )
}

function memberOf(namespace: object, name: string): unknown {
  try {
    return (namespace as Record<string, unknown>)[name]
  } catch (error) {
    // Still being evaluated.
    if (error instanceof ReferenceError) return undefined
    throw error
  }
}

let builtins: Map<unknown, string> | undefined

function builtinNamed(exports: unknown): string | undefined {
  if ((typeof exports !== 'object' || exports === null) && typeof exports !== 'function')
    return undefined
  builtins ??= new Map()
  const known = builtins.get(exports)
  if (known !== undefined) return known
  // Those that are not loaded cannot be what is looked for.
  const { moduleLoadList } = process as unknown as { moduleLoadList: string[] }
  for (const entry of moduleLoadList) {
    const name = entry.replace(/^NativeModule /, '')
    if (!builtinModules.includes(name) || name.startsWith('_')) continue
    const specifier = `node:${name}`
    const builtin: unknown = process.getBuiltinModule(specifier)
    if (!builtins.has(builtin)) builtins.set(builtin, specifier)
  }
  return builtins.get(exports)
}

/** Where a captured object comes from that is all of a builtin module. */
export function builtinSource(value: unknown): ImportSource | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  // Cheap to see, and true of all of them.
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined
  const specifier = builtinNamed(value)
  return specifier === undefined ? undefined : { specifier, kind: 'import', path: ['default'] }
}

/** The `require` of a module, from `createRequire` or as CommonJS has it: made again for the same directory. */
export function requireRecord(fn: Callable): MadeRecord | undefined {
  const { cache, resolve } = fn as unknown as Partial<NodeJS.Require>
  if (cache !== (Module as unknown as { _cache: unknown })._cache) return undefined
  const [directory] = resolve?.paths('./') ?? []
  if (directory === undefined) return undefined
  return {
    kind: 'made',
    maker: createRequire as Callable,
    args: [join(directory, 'sent-by-value.js')],
  }
}

/** An `import.meta` that was put into a variable: the receiver makes one for the same file. */
export function metaStandIn(value: unknown): object | undefined {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== null) {
    return undefined
  }
  const { url, resolve } = value as Partial<ImportMeta>
  if (typeof url !== 'string' || typeof resolve !== 'function' || resolve.name !== 'resolve')
    return undefined
  const recipe: Reduced = { module: STAND_INS, name: 'metaOf', args: [url] }
  return { [reduceSymbol]: () => recipe }
}
