/**
 * The modules that a program imports, found by reading them.
 *
 * For processes without an inspector, which cannot tell where a function is from: it is looked for
 * in everything that the main module imports, directly or not.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { Module } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { loadedNamespace } from '../modules/loaded.js'
import { mainModules } from '../modules/main.js'
import { resolverOf } from '../modules/stand-ins.js'
import { parser } from './parser.js'

/** Reading more would take longer than anybody waits for an error. */
const MAX_MODULES = 2_000

/** A module of the program, and what it exports. */
export interface LoadedModule {
  readonly url: string
  readonly kind: 'import' | 'require'
  readonly exports: unknown
}

/** Yields all CommonJS modules that are loaded, then the ES modules that the main one imports. */
export function* loadedModules(): Generator<LoadedModule> {
  const cache = (Module as unknown as { _cache: Record<string, Partial<NodeJS.Module>> })._cache
  for (const [file, { filename = file, exports }] of Object.entries(cache)) {
    yield { url: pathToFileURL(filename).href, kind: 'require', exports }
  }
  const seen = new Set<string>(mainModules())
  for (const url of seen) {
    const namespace = mainModules().has(url) ? undefined : loadedNamespace(url)
    if (namespace !== undefined) yield { url, kind: 'import', exports: namespace }
    if (seen.size < MAX_MODULES) for (const next of importsOf(url)) seen.add(next)
  }
}

function importsOf(url: string): string[] {
  if (!url.startsWith('file:')) return []
  try {
    const source = readFileSync(fileURLToPath(url), 'utf8')
    const program = parser().parse(source, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      allowHashBang: true,
    })
    return program.body.flatMap((node) =>
      'source' in node && node.source ? resolverOf(url)(String(node.source.value)) : [],
    )
  } catch {
    // Not readable, not JavaScript, or importing what is not there: nothing is known of it then,
    // and the error that the caller is about to throw says that the function was not found.
    return []
  }
}
