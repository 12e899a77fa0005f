/**
 * Builds `child-bundle.cjs` of `@mp/process`: all that a plain child needs, of all packages, in one file.
 *
 * A child that loads modules one by one takes twice as long to start (docs/decisions/0016). What it needs beyond is
 * loaded from the packages, on demand; what has to be one for both is in the global object (`state.ts`).
 * Builtin modules are required where they are first used: some take Node several milliseconds.
 *
 * @module
 */
import { build, transform } from 'esbuild'
import { readFile } from 'node:fs/promises'
import { dirname, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../packages/', import.meta.url))
const dist = fileURLToPath(new URL('../packages/process/dist/', import.meta.url))

/** Gives each file the URL of what its package's `lib/` has of it, wherever the packages are installed. */
const ownUrls = {
  name: 'own-urls',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, async ({ path }) => {
      const [folder, ...file] = relative(packages, path).split(sep)
      if (folder === 'shared-memory' && file.join('/') === 'dist/bare/platform.js') return NO_BARE
      const url = `urlOf(${JSON.stringify(`@mp/${folder}`)}, ${JSON.stringify(`lib/${file.at(-1)}`)})`
      const source = await readFile(path, 'utf8')
      const code = folder === 'shared-memory' && file[1] === 'native.js' ? withPath(source) : source
      return { contents: code.replaceAll('import.meta.url', url), loader: 'js' }
    })
    // Loaded from its own file, as the module that it is.
    onResolve({ filter: /^\.\// }, ({ kind, path, importer }) => {
      if (kind !== 'dynamic-import') return undefined
      if (dirname(importer) + sep !== dist) throw new Error(`${importer}: import of ${path}`)
      return { path, external: true }
    })
    // A spawned process runs it in its main thread, and need not ask.
    onResolve({ filter: /^node:worker_threads$/ }, ({ path }) => ({
      path,
      namespace: 'main-thread',
    }))
    onLoad({ filter: /.*/, namespace: 'main-thread' }, () => ({
      contents: 'export const isMainThread = true, threadId = 0, workerData = undefined',
    }))
  },
}

/** A process that was started has the addon. */
const NO_BARE = {
  contents:
    'export const isBareThread = () => false, canBeBare = isBareThread, barePlatform = undefined',
  loader: 'js',
}

const HEADER = `'use strict'
function urlOf(name, file) {
  const { dirname, join } = require('node:path')
  const root = name === '@mp/process' ? dirname(__dirname) : dirname(require.resolve(name + '/package.json'))
  return require('node:url').pathToFileURL(join(root, file)).href
}
`

/** What a child is started with: its arguments are a token, the addon, and a directory for compiled code. */
const ENTRY = `'use strict'
if (process.argv[4]) require('node:module').enableCompileCache(process.argv[4])
require('./child-bundle.cjs')
`

/** The parent says where the addon is: looking for it would take longer than loading it. */
function withPath(source) {
  const looked = 'const files = binariesIn(folder);'
  if (!source.includes(looked)) throw new Error(`native.js does not have \`${looked}\` any more`)
  return source
    .replace(looked, 'const files = [process.argv[3]];')
    .replace('createRequire(import.meta.url)(', 'require(')
}

/** esbuild gives a class that names itself another name inside, which users would see. */
export function withNamesOfClasses(code) {
  const renamed = code.matchAll(/^var (\w+) = class _\1\b/gm)
  return [...renamed].reduce(
    (text, [, name]) => text.replaceAll(new RegExp(`\\b_${name}\\b`, 'g'), name),
    code,
  )
}

/** @returns the files, by name. */
export async function bundleChild() {
  const { outputFiles } = await build({
    entryPoints: [`${dist}bootstrap.js`],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // As compiled, module by module.
    alias: Object.fromEntries(
      ['pickle', 'shared-memory'].map((name) => [`@mp/${name}`, `${packages}${name}/dist`]),
    ),
    plugins: [ownUrls],
    logLevel: 'warning',
  })
  // Shorter to compile; the names stay, for stacks and for classes that tell theirs.
  const { code } = await transform(HEADER + requireLate(withNamesOfClasses(outputFiles[0].text)), {
    minifyWhitespace: true,
    target: 'node20',
  })
  return { 'child-bundle.cjs': code, 'child.cjs': ENTRY }
}

/** Moves each `require` of a builtin module to where it is used. */
function requireLate(code) {
  const late = []
  const without = code.replace(
    /^var (import_\w+) = require\("(node:[\w/]+)"\);\n/gm,
    (_, name, id) => {
      late.push([name, id])
      return ''
    },
  )
  if (/^var \w+ = .*require\("node:/m.test(without))
    throw new Error('A builtin module is required early')
  return late.reduce(
    (text, [name, id]) => text.replaceAll(new RegExp(`\\b${name}\\.`, 'g'), `(require("${id}")).`),
    without,
  )
}
