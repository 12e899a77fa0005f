/**
 * Where children keep the code that V8 has compiled: our own (`child.ts`), and by Node's compile cache (22.1 and newer) that
 * of the program's modules.
 *
 * @module
 */
import { directoryForCode, variantOfCode } from '@mp/shared-memory/internal'
import * as nodeModule from 'node:module'
import { join } from 'node:path'

/** Where a child keeps compiled code. */
export interface CompiledCode {
  /** Directory for Node; empty for none, or where the program has its own. */
  readonly modules: string
  /** What the name of the file for our own code begins with; empty for none. */
  readonly ours: string
}

const NOWHERE: CompiledCode = { modules: '', ours: '' }

/** Of a child with this environment and these flags. */
export function compiledCode(env: NodeJS.ProcessEnv, flags: readonly string[]): CompiledCode {
  const directory = directoryForCode(env)
  if (directory === '') return NOWHERE
  return {
    modules: canKeepModules && !env['NODE_COMPILE_CACHE'] ? directory : '',
    ours: join(directory, `child-${variantOfCode(env, flags)}`),
  }
}

const canKeepModules = 'enableCompileCache' in nodeModule
