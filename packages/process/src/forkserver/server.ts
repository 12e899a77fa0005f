/**
 * The program of a fork server: it loads what children need, then serves.
 *
 * All that is here happens once, but for what follows `forkServe`, which returns in every child.
 * Nothing of it may leave behind what children must not share: see `forkServe` of the addon.
 *
 * Flags for the engine come after the modules: with any that it was not built with, the engine has no use for the code that
 * Node brings compiled, and takes five times as long for Node's own modules.
 *
 * @module
 */
import { loadByUrl } from '@mp/pickle/internal'
import { loadNative } from '@mp/shared-memory/internal'
import * as nodeModule from 'node:module'
import { dirname, join } from 'node:path'
import { compileAll, watchThreads } from './engine.js'
import type { Settings } from './protocol.js'
import { guardRandomness } from './randomness.js'
import { prepareToServe, throwLater } from './serve.js'
import { guardStreams } from './streams.js'
import { keepEnv } from './surroundings.js'

/** In Node 22.10 and newer. */
const { flushCompileCache } = nodeModule as { flushCompileCache?: () => void }

/** The program of a fork server. */
export function run(): void {
  throwLater(main())
}

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? '') as Settings
  loadNative().forkBegin(settings.parentPid)
  // Node has read it; children would inherit it.
  if (settings.isCached) delete process.env['NODE_COMPILE_CACHE']
  const setRandomnessFree = guardRandomness()
  const giveStreamsBack = guardStreams()
  const giveEnvBack = keepEnv()
  watchThreads()
  const failures = await load(settings)
  // Node loads it when it is first asked for, which takes 3 ms.
  performance.now()
  // It never gets to its end, where Node would write what is new; and code that is compiled later is of other flags.
  if (settings.isCached) flushCompileCache?.()
  compileAll()
  await prepareToServe({
    failures,
    giveBack() {
      giveStreamsBack()
      giveEnvBack()
      return setRandomnessFree()
    },
  })
}

async function load({ main, loaded, preload }: Settings): Promise<string[]> {
  // Copies find these without asking Node, which looks at the letters of their paths again and again.
  await Promise.all(loaded.map(loadByUrl))
  const importFrom = importerOf(main)
  const failed: string[] = []
  for (const name of preload) {
    await importFrom(name).catch((error: unknown) => failed.push(`${name}: ${String(error)}`))
  }
  return failed
}

/** As `pickle`'s: undocumented, and there for as long as `require`. */
interface Compiling {
  exports: unknown
  filename: string
  _compile(source: string, filename: string, format?: string): void
}

/** `import()` as the main module has it: what it names is looked up from there. */
function importerOf(main: string): (name: string) => Promise<unknown> {
  const filename = join(dirname(main), '[forkserver].cjs')
  const module = new nodeModule.Module(filename) as unknown as Compiling
  module.filename = filename
  module._compile('module.exports = (name) => import(name)', filename, 'commonjs')
  return module.exports as (name: string) => Promise<unknown>
}
