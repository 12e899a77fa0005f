/**
 * What the module system gives to a module, for code whose module is not loaded here.
 *
 * @module
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile } from './compile.js'

/** Where a receiver finds what is here. Not a constant: a receiver need not know, and a child finds out slowly. */
export function standIns(): string {
  return new URL('./stand-ins.cjs', import.meta.url).href
}

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
  return createRequire(fileOf(parent))
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
export function resolverOf(parent: string): (specifier: string) => string {
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
