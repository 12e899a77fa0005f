/**
 * Where code is kept that V8 has compiled, so that the next process need not: in a directory that no other user
 * can write to.
 *
 * Node's default for its own compile cache is a directory with a known name in the system's temporary one, where another
 * user could be the first to put something.
 *
 * @module
 */
import { lstatSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

let known: { setting: string | undefined; directory: string } | undefined

/**
 * @param env `MP_COMPILE_CACHE=0` is for nowhere, a path for another place.
 * @returns the directory for what a process with this environment compiles; empty for none.
 */
export function directoryForCode(env: NodeJS.ProcessEnv): string {
  const { MP_COMPILE_CACHE: setting } = env
  // V8 counts less precisely in code from a cache.
  if (setting === '0' || env['NODE_V8_COVERAGE'] || env['NODE_DISABLE_COMPILE_CACHE']) return ''
  if (known === undefined || known.setting !== setting) {
    known = { setting, directory: safeDirectory(setting || defaultDirectory()) }
  }
  return known.directory
}

/**
 * What tells the files in it apart: V8 takes no code of another version, or that was compiled with other flags.
 *
 * @param flags of the process. Their values are not in the name, lest there be files without end.
 */
export function variantOfCode(env: NodeJS.ProcessEnv, flags: readonly string[]): string {
  const { NODE_OPTIONS: options = '' } = env
  const names = [...flags, ...options.split(/\s+/)].flatMap((flag) =>
    flag.startsWith('-') ? flag.split('=', 1) : [],
  )
  const suffix = names.length === 0 ? '' : `-${hashOf(names.join(' '))}`
  return `${process.version}-${process.arch}${suffix}`
}

/** FNV-1a, of 32 bits, for names: who reads the file compares what matters. */
export function hashOf(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return (hash >>> 0).toString(36)
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
    // No home, a read-only one, or no permission: it goes without, which is only slower.
    return ''
  }
}
