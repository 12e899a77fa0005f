/**
 * Where children keep the code that V8 has compiled, so that the next one need not: Node's own
 * compile cache (22.1 and newer), in a directory that no other user can write to.
 *
 * Node's default is a directory with a known name in the system's temporary one, where another user
 * could be the first to put something.
 *
 * @module
 */
import { lstatSync, mkdirSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

let known: { setting: string | undefined; directory: string } | undefined

/** The directory for a child with this environment; empty for none. `MP_COMPILE_CACHE=0` is for none, a path for another. */
export function compileCache(env: NodeJS.ProcessEnv): string {
  const { MP_COMPILE_CACHE: setting } = env
  // One that the program has chosen is Node's business; and V8 counts less precisely in code from a cache.
  const isMoot = !('enableCompileCache' in nodeModule) || setting === '0' || env['NODE_V8_COVERAGE']
  if (isMoot || env['NODE_COMPILE_CACHE'] || env['NODE_DISABLE_COMPILE_CACHE']) return ''
  if (known === undefined || known.setting !== setting) {
    known = { setting, directory: safeDirectory(setting || defaultDirectory()) }
  }
  return known.directory
}

function defaultDirectory(): string {
  const { XDG_CACHE_HOME: base } = process.env
  return join(base || join(homedir(), '.cache'), 'mp-processes')
}

/** Makes the directory if need be; empty when that fails, or when somebody else may write there. */
function safeDirectory(path: string): string {
  const directory = resolve(path)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const found = lstatSync(directory)
    const isOurs = found.isDirectory() && found.uid === process.getuid?.()
    return isOurs && (found.mode & 0o022) === 0 ? directory : ''
  } catch {
    // No home, a read-only one, or no permission: children start without, which is only slower.
    return ''
  }
}
