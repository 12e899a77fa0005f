/**
 * Builds `code.cjs` of a package, the script with all of its modules that processes need which are started, and where it has
 * others `late.cjs`, with those (packages/shared-memory/src/kept-code/load.ts).
 *
 * esbuild makes a module of each. Statement by statement, what that imports and exports becomes what a script gets and gives.
 *
 * @module
 */
import { build } from 'esbuild'
import { dirname, join, relative } from 'node:path'
import { COMMON, withNamesOfClasses } from './bundle-child.mjs'

/**
 * @param dist of the package.
 * @param code modules by their names, and @param late others.
 * @returns the files, by name.
 */
export async function bundleCode(dist, code, late) {
  const lib = join(dist, '../lib')
  if (Object.keys(late).length === 0) return scriptOf(lib, 'code.cjs', sourceOf(code, {}), [])
  const early = await filesOf(lib, sourceOf(code, {}))
  const common = new Map()
  const files = await scriptOf(lib, 'late.cjs', sourceOf(late, {}), [fromCode(early, common)])
  const source = sourceOf(
    code,
    Object.fromEntries([...common].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  )
  return { ...files, ...(await scriptOf(lib, 'code.cjs', source, [])) }
}

/** A module that exports what others export: `parts`, and for `late.cjs` `common`. */
function sourceOf(parts, common) {
  const files = [...new Set([...Object.values(parts), ...Object.values(common)])]
  const list = (modules) =>
    Object.entries(modules).map(([name, file]) => `'${name}': { ...module${files.indexOf(file)} },`)
  return [
    ...files.map((file, i) => `import * as module${i} from ${JSON.stringify(file)}`),
    'export const parts = {',
    ...list(parts),
    '}, common = {',
    ...list(common),
    '}',
  ].join('\n')
}

/** Which files it has. */
async function filesOf(lib, source) {
  const { metafile } = await build({ ...options(lib, source, []), metafile: true })
  return new Set(Object.keys(metafile.inputs).map((file) => join(COMMON.absWorkingDir, file)))
}

function options(lib, contents, plugins) {
  return {
    ...COMMON,
    // In the folder of the package: that of the scripts may not be there yet.
    stdin: { contents, resolveDir: dirname(lib), sourcefile: 'parts.js' },
    format: 'esm',
    packages: 'external',
    define: { 'import.meta.url': 'mpUrl' },
    plugins: [onDemand, ...plugins],
  }
}

/** What is imported on demand is there with all else. */
const onDemand = {
  name: 'on-demand',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\// }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    )
  },
}

/** Has modules that are in `code.cjs` from there, and notes which. */
function fromCode(early, common) {
  return {
    name: 'from-code',
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ kind, path, importer }) => {
        const file = join(dirname(importer), path)
        if (kind !== 'import-statement' || !early.has(file)) return undefined
        const name = relative(COMMON.absWorkingDir, file)
        common.set(name, file)
        return { path: `common:${name}`, external: true }
      })
    },
  }
}

async function scriptOf(lib, name, source, plugins) {
  const { outputFiles } = await build({
    ...options(lib, source, plugins),
    outfile: join(lib, name),
    sourcemap: true,
    sourcesContent: false,
  })
  const [{ text: map }, { text }] = outputFiles
  const statement = /^import (?:(\w+)(?:, )?)?(?:\* as (\w+) |\{([^}]*)\} )?from "([^"]+)";$/gm
  const body = withNamesOfClasses(text)
    .replace(statement, (_, single, all = single, names = '', id) => {
      const module = moduleNamed(id)
      const parts = names.replaceAll(/(\w+) as (\w+)/g, '$1: $2')
      if (all === undefined) return `const {${parts}} = ${module};`
      return `const ${all} = ${module}${parts === '' ? '' : `, {${parts}} = ${all}`};`
    })
    .replace(/^export \{\n {2}common,\n {2}parts\n\};$/m, 'return { common, parts }')
    .replaceAll(/\bimport\("\.\/([\w-]+)\.js"\)/g, 'Promise.resolve(parts["$1"])')
    .replace(/\n\/\/# sourceMappingURL=.*\n$/, '')
    // In comments alone: the engine keeps it in one byte a character, and reads it faster.
    .replaceAll(/[^\0-\x7f]/g, '?')
  // Of an `import()`, all but those that are in a string, for others to run.
  const left = /^(?:import|export)\b.*$|^[^'"`\n]*\bimport\(.*$/m.exec(body)
  if (left !== null) throw new Error(`It is no script: ${left[0]}`)
  // Modules are strict, and have to stay so.
  const code = `(function (mpPartOf, mpUrl, mpRunKept, mpCommon) { 'use strict'; ${body}\n})\n`
  return { [name]: `${code}//# sourceMappingURL=${name}.map\n`, [`${name}.map`]: map }
}

function moduleNamed(id) {
  if (id.startsWith('node:')) return `process.getBuiltinModule("${id}")`
  if (id.startsWith('common:')) return `mpCommon["${id.slice('common:'.length)}"]`
  const [, name, part = 'index'] = /^(@mp\/[\w-]+)(?:\/([\w-]+))?$/.exec(id) ?? []
  if (name === undefined) throw new Error(`Only packages of ours can be had at once: ${id}`)
  return `mpPartOf("${name}", "${part}")`
}
