import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commonProgram, moduleProgram, samples } from './programs.js'
import { installers, makeProject, nodes, packAll, root, run } from './project.js'

const name = 'multiprocessing'
const { expected } = samples[name]
let folder: string
let project: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mp-uses-'))
  project = join(folder, 'project')
  makeProject(project, name, await packAll(folder))
  await installers['npm'](project)
  writeFileSync(join(project, 'program.mjs'), moduleProgram(name))
  writeFileSync(join(project, 'program.cjs'), commonProgram(name))
  writeFileSync(join(project, 'program.ts'), typedProgram)
})

afterAll(() => rmSync(folder, { recursive: true }))

/** Checks what is inferred, too. */
const typedProgram = `
import { Pool, Process, Queue } from '@mp/multiprocessing'
import * as mp from '@mp/multiprocessing'
const queue: mp.Queue<number> = new Queue<number>()
const child = new Process({ target: (n: number) => queue.putSync(n), args: [1] })
// @ts-expect-error: the target takes a number
new Process({ target: (n: number) => n, args: ['1'] })
const pool = new Pool(1)
export const lengths: Promise<number[]> = pool.map((text: string) => text.length, ['a'])
export const code: Promise<number | null> = child.start().join()
`

describe('TypeScript', () => {
  test.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('module %s with resolution %s finds the types', async (module, moduleResolution) => {
    const config = join(project, `tsconfig.${moduleResolution}.json`)
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      strict: true,
      noEmit: true,
    }
    writeFileSync(config, JSON.stringify({ compilerOptions, files: ['program.ts'] }))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    expect(await run(process.execPath, [tsc, '-p', config], project)).toBe('')
  })
})

describe.each(nodes().map((node) => [node.replace(`${root}.ci/node_modules/`, ''), node]))(
  'under %s',
  (_, node) => {
    test.each(['program.mjs', 'program.cjs'])('%s runs', async (file) => {
      expect(await run(node, [file], project)).toBe(expected)
    })
  },
)

describe('bundled with the packages left out', () => {
  test.each([
    ['esm', 'mjs'],
    ['cjs', 'cjs'],
  ])('by esbuild as %s, processes and functions work', async (format, extension) => {
    const outfile = join(project, `dist/esbuild.${extension}`)
    const entry = `program.${extension}`
    const flags = ['--bundle', '--minify', '--platform=node', '--packages=external']
    await esbuild([entry, ...flags, `--format=${format}`, `--outfile=${outfile}`])
    expect(await run(process.execPath, [outfile], project)).toBe(expected)
  })

  test('by Vite for a server, processes and functions work', async () => {
    const flags = ['--ssr', 'program.mjs', '--outDir', 'dist/vite', '--logLevel', 'error']
    await run(bundler('vite'), ['build', ...flags], project)
    const [built] = readdirSync(join(project, 'dist/vite'))
    expect(await run(process.execPath, [join('dist/vite', built)], project)).toBe(expected)
  })

  test.each([
    ['es', 'mjs'],
    ['cjs', 'cjs'],
  ])('by Vite as a library (%s), processes and functions work', async (format, extension) => {
    const { imports, body } = samples[name]
    const code = `import ${imports} from '@mp/${name}'\nexport async function main() { ${body} }\n`
    writeFileSync(join(project, 'library.mjs'), code)
    const outDir = `dist/library-${format}`
    const lib = `{ entry: 'library.mjs', formats: ['${format}'], fileName: () => 'library.${extension}' }`
    const build = `{ lib: ${lib}, outDir: '${outDir}', minify: true, rollupOptions: { external: [/^@mp\\//] } }`
    const config = `vite.${format}.config.mjs`
    writeFileSync(join(project, config), `export default { build: ${build} }\n`)
    await run(bundler('vite'), ['build', '--config', config, '--logLevel', 'error'], project)
    const program = `use-${format}.mjs`
    const use = `import { main } from './${outDir}/library.${extension}'\nawait main()\n`
    writeFileSync(join(project, program), use)
    expect(await run(process.execPath, [program], project)).toBe(expected)
  })
})

test.each([
  ['esm', 'mjs'],
  ['cjs', 'cjs'],
])(
  'bundled as %s with the packages inside, the error says that they have to be left out',
  async (format, extension) => {
    const outfile = join(project, `dist/inside.${extension}`)
    const flags = ['--bundle', '--platform=node', `--format=${format}`, `--outfile=${outfile}`]
    await esbuild([`program.${extension}`, ...flags])
    await expect(run(process.execPath, [outfile], project)).rejects.toThrow(
      /bundler[^]*ERR_MP_NATIVE_MISSING/,
    )
  },
)

/** As a program: a library of theirs would leave a process behind in this one. */
function bundler(command: 'esbuild' | 'vite'): string {
  return join(root, 'packaging/node_modules/.bin', command)
}

async function esbuild(args: readonly string[]): Promise<void> {
  await run(bundler('esbuild'), [...args, '--log-level=error'], project)
}
