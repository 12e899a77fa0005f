/**
 * Where children keep the code that V8 has compiled, so that the next one need not, in a directory that no other user
 * can write to: our own (see `child.cts`), and by Node's compile cache (22.1 and newer) that of the program's modules.
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

/** Where a child keeps compiled code. */
export interface CompiledCode {
  /** Directory for Node; empty for none, or where the program has its own. */
  readonly modules: string
  /** What the name of the file for our own code begins with; empty for none. */
  readonly ours: string
}

const NOWHERE: CompiledCode = { modules: '', ours: '' }

/**
 * @param env of the child. `MP_COMPILE_CACHE=0` is for nowhere, a path for another place.
 * @param flags of the child: V8 takes no code that was compiled with others. Their values are not in the name, lest there be files without end.
 */
export function compiledCode(env: NodeJS.ProcessEnv, flags: readonly string[]): CompiledCode {
  const { MP_COMPILE_CACHE: setting, NODE_OPTIONS: options = '' } = env
  // V8 counts less precisely in code from a cache.
  if (setting === '0' || env['NODE_V8_COVERAGE'] || env['NODE_DISABLE_COMPILE_CACHE'])
    return NOWHERE
  if (known === undefined || known.setting !== setting) {
    known = { setting, directory: safeDirectory(setting || defaultDirectory()) }
  }
  const { directory } = known
  if (directory === '') return NOWHERE
  const names = [...flags, ...options.split(/\s+/)].flatMap((flag) =>
    flag.startsWith('-') ? flag.split('=', 1) : [],
  )
  const suffix = names.length === 0 ? '' : `-${hashOf(names.join(' '))}`
  return {
    modules: canKeepModules && !env['NODE_COMPILE_CACHE'] ? directory : '',
    ours: join(directory, `child-${process.version}-${process.arch}${suffix}`),
  }
}

const canKeepModules = 'enableCompileCache' in nodeModule

/** FNV-1a, of 32 bits: V8 compares flags by itself. */
function hashOf(text: string): string {
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
    // No home, a read-only one, or no permission: children start without, which is only slower.
    return ''
  }
}
