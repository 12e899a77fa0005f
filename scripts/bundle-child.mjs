/**
 * Builds `child-code.cjs` of `@mp/process`, all that a plain child needs, of all packages, in one file; and `child.cjs`, which
 * runs it, as it was compiled for another child if possible (packages/process/src/child.ts).
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
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const packages = fileURLToPath(new URL('../packages/', import.meta.url))
const dist = fileURLToPath(new URL('../packages/process/dist/', import.meta.url))

/** The same, wherever it is run from. */
export const COMMON = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
}

/** As compiled, module by module. */
const ALIAS = Object.fromEntries(
  ['pickle', 'shared-memory'].map((name) => [`@mp/${name}`, `${packages}${name}/dist`]),
)

/** Gives each file the URL of what its package's `lib/` has of it, wherever the packages are installed. */
const ownUrls = {
  name: 'own-urls',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, async ({ path }) => {
      const [folder, ...file] = relative(packages, path).split(sep)
      if (folder === 'shared-memory' && file.join('/') === 'dist/bare/platform.js') return NO_BARE
      const url = `urlOf(${JSON.stringify(`@mp/${folder}`)}, ${JSON.stringify(`lib/${file.at(-1)}`)})`
      const source = await readFile(path, 'utf8')
      const edit = folder === 'shared-memory' ? EDITS[file[1]] : undefined
      const code = edit === undefined ? source : await edit(source, path)
      return { contents: code.replaceAll('import.meta.url', url), loader: 'js' }
    })
    // Loaded with its package.
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

/** The addon's path is an argument of the process. Where the addon is, its package is; to ask Node takes a millisecond. */
const HEADER = `'use strict'
const [,,,addonPath] = process.argv
function urlOf(name, file) {
  const path = rootOf(name) + '/' + file
  // Nothing in it has to be escaped.
  if (/^[\\w/.@-]+$/.test(path)) return 'file://' + path
  return require('node:url').pathToFileURL(path).href
}
function rootOf(name) {
  if (name === '@mp/process') return up(childDirectory, 1)
  return name === '@mp/shared-memory' ? up(addonPath, 3) : up(require.resolve(name + '/package.json'), 1)
}
function up(path, folders) {
  return path.split('/').slice(0, -folders).join('/')
}
// As \`require\` does, without a search; who requires it later finds it.
function loadAddon(filename) {
  const addon = { id: filename, filename, exports: {}, children: [], loaded: true }
  process.dlopen(addon, filename)
  require.cache[filename] = addon
  return addon.exports
}
`

/** What is done to modules of `@mp/shared-memory`. */
const EDITS = { 'native.js': withPath, 'layout.js': withHash }

/** Hashing the layout takes a fifth of a millisecond; it changes only with the number of objects. */
async function withHash(source, path) {
  const computed = 'export const layoutHash = fnv1a('
  if (!source.includes(computed))
    throw new Error(`layout.js does not have \`${computed}\` any more`)
  delete process.env.MP_MAX_OBJECTS
  const { layoutHash } = await import(pathToFileURL(path))
  const known = `MAX_OBJECTS === DEFAULT_MAX_OBJECTS ? ${layoutHash} : `
  return source.replace(computed, computed.replace('fnv1a(', `${known}fnv1a(`))
}

/** The parent says where the addon is: looking for it would take longer than loading it. */
function withPath(source) {
  const looked = 'const files = binaries();'
  if (!source.includes(looked)) throw new Error(`native.js does not have \`${looked}\` any more`)
  return source
    .replace(looked, 'const files = [addonPath];')
    .replace('createRequire(import.meta.url)(', 'loadAddon(')
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
    stdin: { contents: "import { run } from './bootstrap.js'\nrun()", resolveDir: dist },
    ...COMMON,
    format: 'cjs',
    alias: ALIAS,
    plugins: [ownUrls],
  })
  const [{ text }] = outputFiles
  const body = HEADER + requireLate(requireParts(withNamesOfClasses(text)))
  // Shorter to compile; the names stay, for stacks and for classes that tell theirs.
  const code = await minified(`(function (require, childDirectory, mpOnReady) {\n${body}\n})`)
  // The engine keeps it in one byte a character, and reads it faster.
  if (/[^\0-\x7f]/.test(code)) throw new Error('Not all of child-code.cjs is ASCII')
  const { version } = JSON.parse(await readFile(`${packages}process/package.json`, 'utf8'))
  const start = await bundleScript(`${dist}child.js`, { VERSION: JSON.stringify(version) })
  return { 'child-code.cjs': code, 'child.cjs': start }
}

async function minified(source) {
  const { code } = await transform(source, { minifyWhitespace: true, target: 'node20' })
  return code
}

/** A short CommonJS module of one of ours. */
export async function bundleScript(file, define) {
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: [file],
    format: 'cjs',
    alias: ALIAS,
    define,
    // What is not used of our packages has `import.meta`, and what is a script exports as one.
    logOverride: { 'empty-import-meta': 'silent', 'commonjs-variable-in-esm': 'silent' },
  })
  return minified(requireLate(outputFiles[0].text))
}

/** A script has no `import()` of its own. */
function requireParts(code) {
  const edited = code.replaceAll(
    /\bimport\("\.\/([\w-]+)\.js"\)/g,
    'Promise.resolve(require("./load.cjs")["$1"])',
  )
  // In a text there may be one, for code that is made from it.
  if (/\bimport\(["'`]/.test(edited)) throw new Error('Something else is imported on demand')
  return edited
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
