/**
 * The protocol code under test: the packages as compiled, in one function whose
 * globals are ours.
 *
 * Nothing is written again for the explorer. `session.js` alone is replaced, which
 * joins a real session; `await` is lowered to a `Promise` that we bring; and the
 * constants in `TUNED` are set so that no timer saves a lost wake. A mutation is
 * one more replacement, and has to be found.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type Plugin, build, stop } from 'esbuild'
import type { Host } from './host.js'
import type * as Scenarios from './scenarios/index.js'

/** A change to one compiled file: `find`, which has to occur there exactly once, becomes `replace`. */
export interface Edit {
  /** A path that ends so, with forward slashes. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** What a bundle exports. */
export type Bundle = typeof Scenarios

/** The names that a bundle finds in place of the globals. */
export interface Globals {
  Atomics: Pick<
    typeof Atomics,
    'load' | 'store' | 'add' | 'sub' | 'and' | 'or' | 'exchange' | 'compareExchange'
  >
  Promise: PromiseConstructor
  AbortSignal: unknown
  setTimeout: (callback: () => void, delayMs: number) => number
  clearTimeout: (id: number | undefined) => void
  queueMicrotask: (job: () => void) => void
  Uint8Array: Uint8ArrayConstructor
  FinalizationRegistry: unknown
  WeakRef: unknown
  host: Host
}

const TUNED: readonly Edit[] = [
  // Nobody is to be saved by looking now and then: a slice of sleep never ends by itself.
  {
    file: 'shared-memory/dist/agent.js',
    find: 'SLICE_MS = 100',
    replace: 'SLICE_MS = Infinity',
  },
  {
    file: 'shared-memory/dist/memory-waits.js',
    find: 'RECHECK_MS = 100',
    replace: 'RECHECK_MS = Infinity',
  },
  // A spin looks at what the step before it has shown already.
  { file: 'shared-memory/dist/leaf-lock.js', find: 'SPINS = 100', replace: 'SPINS = 0' },
  // A page takes one short message, so that the next one needs another page; what is longer gets pages of its own.
  {
    file: 'shared-memory/dist/layout.js',
    find: 'PAGE_BYTES = 65_536',
    replace: 'PAGE_BYTES = 32',
  },
  // An agent runs again and again, and is not to be remembered each time.
  {
    file: 'queue/dist/acknowledged-ring.js',
    find: 'inUse.set(this, this.#queue);',
    replace: '',
  },
  // The table of claims has a page with room for two.
  { file: 'queue/dist/layout.js', find: 'CLAIM_PAGES = 32', replace: 'CLAIM_PAGES = 4' },
  {
    file: 'shared-memory/dist/ring/layout.js',
    find: 'INLINE_MAX = 16_384',
    replace: 'INLINE_MAX = 4',
  },
  // There is room for one message.
  {
    file: 'pipe/dist/pipe-core.js',
    find: 'CAPACITY_BYTES = 16 * 1024 * 1024',
    replace: 'CAPACITY_BYTES = 1',
  },
  {
    file: 'pipe/dist/pipe-core.js',
    find: 'RECHECK_MS = 100',
    replace: 'RECHECK_MS = Infinity',
  },
  // Looking at places that nobody uses is nothing but long.
  { file: 'pipe/dist/layout.js', find: 'MAX_IN_FLIGHT = 64', replace: 'MAX_IN_FLIGHT = 1' },
]

/** Builds the bundle with some edits; gives a function that instantiates it over globals. */
export async function loadBundle(
  edits: readonly Edit[] = [],
): Promise<(globals: Globals) => Bundle> {
  const code = await bundle([...TUNED, ...edits])
  return (globals) => {
    const names = Object.keys(globals)
    const make = new Function(...names, 'require', `${code}\nreturn bundle`) as (
      ...values: unknown[]
    ) => Bundle
    return make(...Object.values(globals), requireBuiltin)
  }
}

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))
const PACKAGES = ['pickle', 'pipe', 'queue', 'shared-memory', 'sync']

async function bundle(edits: readonly Edit[]): Promise<string> {
  try {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('scenarios/index.js', import.meta.url))],
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'bundle',
      platform: 'node',
      target: 'node20',
      supported: { 'async-await': false, 'for-await': false },
      // As compiled, module by module; programs import them in a few files.
      alias: Object.fromEntries(PACKAGES.map((name) => [`@mp/${name}`, `${packages}${name}/dist`])),
      // Nothing is sent from here to a module's URL.
      define: { 'import.meta.url': '"file:///"' },
      plugins: [editing(edits)],
      logLevel: 'silent',
    })
    return outputFiles[0]?.text ?? ''
  } finally {
    // It keeps a process of its own.
    await stop()
  }
}

const require = createRequire(import.meta.url)

/** One CPU, so that nobody spins. */
function requireBuiltin(name: string): unknown {
  return name === 'node:os' ? { availableParallelism: () => 1 } : require(name)
}

/** As tsc writes them: a block comment begins a line, so does one of a line. */
function withoutComments(code: string): string {
  return code.replaceAll(/^[ \t]*(\/\*[\s\S]*?\*\/|\/\/.*)[ \t]*\n/gm, '')
}

function editing(edits: readonly Edit[]): Plugin {
  const used = new Set<Edit>()
  return {
    name: 'edit',
    setup({ onLoad, onEnd }) {
      onLoad({ filter: /[/\\]shared-memory[/\\]dist[/\\]session\.js$/ }, () => ({
        contents: `export * from ${JSON.stringify(fileURLToPath(new URL('session.js', import.meta.url)))}`,
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      }))
      onLoad({ filter: /[/\\]dist[/\\].*\.js$/ }, async ({ path }) => {
        const file = path.replaceAll('\\', '/')
        // Edits name code, not what is said about it.
        let contents = withoutComments(await readFile(path, 'utf8'))
        for (const edit of edits) {
          if (!file.endsWith(edit.file)) continue
          const parts = contents.split(edit.find)
          if (parts.length !== 2) {
            throw new Error(
              `${edit.file} has ${parts.length - 1} times ${JSON.stringify(edit.find)}`,
            )
          }
          contents = parts.join(edit.replace)
          used.add(edit)
        }
        return { contents, loader: 'js' }
      })
      onEnd(() => {
        for (const edit of edits) {
          if (!used.has(edit)) throw new Error(`No file of the bundle ends with ${edit.file}`)
        }
      })
    },
  }
}
