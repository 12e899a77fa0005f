/**
 * Builds `lib/` of each package: what `tsc` has compiled to `dist/`, in a few files.
 *
 * Node takes about half a millisecond for each module that it loads, and the packages have hundreds: from `lib/` a program imports
 * them in a fifth of the time (docs/decisions/0027). Types stay in `dist/`, beside the modules that describe them.
 *
 * Modules that are loaded by themselves are files of their own, all in one folder: `new URL('./name.js', import.meta.url)`
 * finds them from wherever the bundler has put the code that says so.
 *
 * @module
 */
import { build } from 'esbuild'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleChild, withNamesOfClasses } from './bundle-child.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const packages = join(root, 'packages/')

/** Modules of all packages that programs, decoders, threads and processes load by their URL. */
const ENTRIES = ['index', 'internal', 'revived']

/** Those of single packages. */
const MORE_ENTRIES = {
  pickle: ['functions/sender', 'modules/stand-ins'],
  pool: ['hired'],
  process: ['bootstrap', 'revive', 'running-process', 'forkserver/server', 'own'],
  'shared-memory': ['bare/steward'],
}

async function bundle(name) {
  const dist = join(packages, name, 'dist')
  const lib = join(packages, name, 'lib')
  const modules = [...ENTRIES, ...(MORE_ENTRIES[name] ?? [])].filter((module) =>
    existsSync(join(dist, `${module}.js`)),
  )
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(
      modules.map((module) => [basename(module), join(dist, `${module}.js`)]),
    ),
    outdir: lib,
    // Wherever it is run from, the same comes out.
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    // Modules have none. The file that spawned processes run has, and is built apart.
    define: { require: 'undefined' },
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  })
  const files = new Map(
    outputFiles.map(({ path, text }) => [
      basename(path),
      path.endsWith('.js') ? withBuiltins(withNamesOfClasses(text)) : text,
    ]),
  )
  if (name === 'process') {
    for (const [file, code] of Object.entries(await bundleChild())) files.set(file, code)
  }
  await mkdir(lib, { recursive: true })
  for (const [file, contents] of files) await replace(join(lib, file), contents)
  // Chunks have names by their contents: those of before are in nobody's way, but would be packed.
  for (const file of await readdir(lib)) if (!files.has(file)) await rm(join(lib, file))
}

/**
 * Asks Node for its builtin modules directly, statement by statement: for one that is imported, its loader makes a module with all
 * that the builtin has, and loads whatever that takes, which is a tenth of the time in which `@mp/pool` is imported.
 */
function withBuiltins(code) {
  const statement =
    /^import (?:(\w+)(?:, )?)?(?:\* as (\w+) |\{([^}]*)\} )?from "(node:[\w/]+)";$/gm
  const asked = code.replace(statement, (_, name, all = name, names = '', id) => {
    const module = `process.getBuiltinModule("${id}")`
    const parts = names.replaceAll(/(\w+) as (\w+)/g, '$1: $2')
    if (all === undefined) return `const {${parts}} = ${module};`
    return `const ${all} = ${module}${parts === '' ? '' : `, {${parts}} = ${all}`};`
  })
  const left = /^(import|export) .*"node:.*$/m.exec(asked)
  if (left !== null) throw new Error(`A builtin module is imported: ${left[0]}`)
  return asked
}

/** At once: a program may be loading it. */
async function replace(path, contents) {
  const temporary = `${path}.${process.pid}`
  await writeFile(temporary, contents)
  await rename(temporary, path)
}

/** Before vitest runs: tests use what is built, and some package may have been compiled alone since. */
export async function setup() {
  for (const name of await readdir(packages)) await bundle(name)
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const home = process.cwd()
  if (dirname(home) + '/' === packages) await bundle(basename(home))
  else await setup()
}
