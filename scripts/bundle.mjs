/**
 * Builds `lib/` of each package: what `tsc` has compiled to `dist/`, in a few files.
 *
 * The modules of a package are in scripts, `code.cjs` and `late.cjs`: `load.cjs` runs these, as they were compiled for another
 * process if possible (packages/shared-memory/src/kept-code/load.ts). What programs, decoders, threads and processes import by a
 * name or a URL are modules that say what there is, and no more (docs/decisions/0035). Types stay in `dist/`, beside the
 * modules that describe them.
 *
 * All files are in one folder: `new URL('./name.js', import.meta.url)` finds a module from wherever the bundler has put the
 * code that says so.
 *
 * @module
 */
import { build } from 'esbuild'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMMON, bundleChild, bundleScript } from './bundle-child.mjs'
import { bundleCode } from './bundle-code.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const packages = join(root, 'packages/')

/** What is imported by a name: modules of `exports` of package.json. */
const MODULES = ['index', 'internal', 'own']

/** What messages name by its URL, or a package loads by it. */
const PARTS = ['revived', 'hired', 'own', 'revive', 'running-process', 'sender', 'stand-ins']

/** What processes and threads are started with. */
const PROGRAMS = ['bootstrap', 'server', 'steward']

/** Where they are, if not beside all others. */
const FOLDERS = {
  sender: 'functions/',
  server: 'forkserver/',
  'stand-ins': 'modules/',
  steward: 'bare/',
}

/** What only those need that send functions, start processes or have pools: half of the code, and most processes are none of them. */
const LATE = {
  pickle: ['sender'],
  pool: ['index', 'revived'],
  process: ['index', 'internal', 'revive', 'revived', 'running-process', 'server'],
}

/** All that it has of its own is a context: the others' modules load faster as they are. */
const WITHOUT_CODE = ['multiprocessing']

async function bundle(name) {
  const dist = join(packages, name, 'dist')
  const lib = join(packages, name, 'lib')
  const files = WITHOUT_CODE.includes(name)
    ? await bundleModules(dist, lib)
    : await bundleScripts(name, dist)
  if (name === 'process') {
    for (const [file, code] of Object.entries(await bundleChild())) files.set(file, code)
  }
  await mkdir(lib, { recursive: true })
  for (const [file, contents] of files) await replace(join(lib, file), contents)
  // Chunks have names by their contents: those of before are in nobody's way, but would be packed.
  for (const file of await readdir(lib)) if (!files.has(file)) await rm(join(lib, file))
}

/** Those of some modules that a package has: their names, and where they are. */
function modulesOf(dist, names) {
  const all = names.map((name) => [name, join(dist, `${FOLDERS[name] ?? ''}${name}.js`)])
  return Object.fromEntries(all.filter(([, file]) => existsSync(file)))
}

/** As modules. */
async function bundleModules(dist, lib) {
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: modulesOf(dist, [...MODULES, ...PARTS]),
    outdir: lib,
    splitting: true,
    format: 'esm',
    packages: 'external',
    sourcemap: true,
    sourcesContent: false,
  })
  return new Map(outputFiles.map(({ path, text }) => [basename(path), text]))
}

/** As scripts, and files that give what is in them. */
async function bundleScripts(name, dist) {
  const modules = modulesOf(dist, MODULES)
  const parts = modulesOf(dist, PARTS)
  const programs = modulesOf(dist, PROGRAMS)
  const late = LATE[name] ?? []
  const all = Object.entries({ ...modules, ...parts, ...programs })
  const scripts = await bundleCode(
    dist,
    Object.fromEntries(all.filter(([part]) => !late.includes(part))),
    Object.fromEntries(all.filter(([part]) => late.includes(part))),
  )
  const { version } = JSON.parse(await readFile(join(packages, name, 'package.json'), 'utf8'))
  const load = await bundleScript(join(packages, 'shared-memory/src/kept-code/load.ts'), {
    PACKAGE: JSON.stringify(`${name}-${version}`),
    LATE: JSON.stringify(late),
  })
  const files = new Map([...Object.entries(scripts), ['load.cjs', load]])
  for (const [module, text] of await moduleTexts(modules)) {
    files.set(`${module}.js`, moduleFor(name, module, namesIn(text)))
  }
  for (const [part, text] of await moduleTexts(parts)) {
    const { names, others } = namesIn(text)
    const all = [...names, ...others.map(({ as }) => as)]
    // Never run: Node looks for the names of what is imported without running it.
    const told = `0 && (module.exports = { ${all.join(', ')} })`
    files.set(`${part}.cjs`, `module.exports = require('./load.cjs')['${part}']\n${told}\n`)
  }
  for (const program of Object.keys(programs)) {
    files.set(`${program}.cjs`, `require('./load.cjs')['${program}'].run()\n`)
  }
  return files
}

/** Each module in one file, to see what it exports. */
async function moduleTexts(modules) {
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: modules,
    outdir: 'nowhere',
    format: 'esm',
    packages: 'external',
  })
  return outputFiles.map(({ path, text }) => [basename(path, '.js'), text])
}

/** The names that a module exports: its own, and those of other packages, by which. */
function namesIn(text) {
  const imported = new Map()
  for (const [, names, from] of text.matchAll(/^import \{([^}]*)\} from "(@mp\/[\w/-]+)";$/gm)) {
    for (const [name, local] of pairsOf(names)) imported.set(local, { name, from })
  }
  const [, exported] = /^export \{([^}]*)\};$/m.exec(text)
  const own = []
  const others = []
  for (const [local, name] of pairsOf(exported)) {
    if (!imported.has(local)) own.push(name)
    else others.push({ ...imported.get(local), as: name })
  }
  return { names: own, others }
}

/** Of `a as b, c`: a and b, c and c. */
function pairsOf(names) {
  return names
    .split(',')
    .filter((name) => name.trim() !== '')
    .map((name) => {
      const [from, to = from] = name.trim().split(' as ')
      return [from, to]
    })
}

/**
 * For what is imported. What is another package's is exported from there: the same name of two packages is one thing for
 * `export *` only then.
 */
function moduleFor(name, module, { names, others }) {
  const reexports = others.map(
    ({ name, as, from }) => `export { ${name === as ? name : `${name} as ${as}`} } from '${from}'`,
  )
  const own = `let parts
try {
  parts = process.getBuiltinModule('node:module').createRequire(import.meta.url)('./load.cjs')
} catch (error) {
  // A bundle as CommonJS has no URL.
  if (import.meta.url !== undefined && error.code !== 'MODULE_NOT_FOUND') throw error
  const message =
    '@mp/${name} is not whole. If a bundler has put it into your program, leave all of @mp/* out of the bundle (esbuild: \`--packages=external\`)'
  throw Object.assign(new Error(message, { cause: error }), { code: 'ERR_MP_NATIVE_MISSING' })
}
export const { ${names.join(', ')} } = parts['${module}']
`
  return [...reexports, own].join('\n')
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
