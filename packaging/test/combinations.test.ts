/**
 * Every combination: each package alone, by each installer, in each form, under each Node. Long: `pnpm test:packages`.
 *
 * What of it every run of the tests has is in the files beside this one.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brings, commonProgram, moduleProgram, samples, typedProgram } from './programs.js'
import { installedPackages, installers, makeProject, nodes, packAll, root, run } from './project.js'

const WANTED = [20, 22, 24, 26]
const resolutions = [
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
] as const

const isWanted = process.env['PACKAGES'] === 'all'
const found = isWanted ? await versions() : []
let folder: string
let files: Record<string, string>

/** Those of the versions that are there, with their programs. */
async function versions(): Promise<{ major: number; node: string }[]> {
  const all = await Promise.all(
    nodes().map(async (node) => {
      const version = await run(node, ['-p', 'process.versions.node'], root)
      return { major: Number.parseInt(version, 10), node }
    }),
  )
  return WANTED.flatMap((major) => all.find((one) => one.major === major) ?? [])
}

describe.runIf(isWanted)('all combinations', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mp-combinations-'))
    files = await packAll(folder)
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  test('each supported version of Node is here', () => {
    expect(found.map(({ major }) => major)).toEqual(WANTED)
  })

  describe.each(Object.keys(samples))('@mp/%s', (name) => {
    describe.each(Object.keys(installers))('installed by %s', (by) => {
      const { expected } = samples[name]
      const path = (...parts: string[]): string => join(folder, `${by}-${name}`, ...parts)

      beforeAll(async () => {
        makeProject(path(), name, files)
        await installers[by](path())
        writeFileSync(path('program.mjs'), moduleProgram(name))
        writeFileSync(path('program.cjs'), commonProgram(name))
        writeFileSync(path('program.ts'), typedProgram(name))
      })

      test('brings only what it is built on', async () => {
        expect(await installedPackages(path())).toEqual(brings[name])
      })

      test.each(found)('runs under Node $major, as ESM and as CommonJS', async ({ node }) => {
        for (const program of ['program.mjs', 'program.cjs']) {
          expect(await run(node, [program], path())).toBe(expected)
        }
      })

      test.each(resolutions)(
        'is compiled as TypeScript, module %s with resolution %s, and then runs under each Node',
        async (module, moduleResolution) => {
          const outDir = `compiled-${moduleResolution}`
          const config = `tsconfig.${moduleResolution}.json`
          const compilerOptions = {
            module,
            moduleResolution,
            target: 'es2022',
            types: ['node'],
            typeRoots: [join(root, 'node_modules/@types')],
            strict: true,
            skipLibCheck: false,
            outDir,
          }
          writeFileSync(path(config), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
          const tsc = join(root, 'node_modules/typescript/bin/tsc')
          expect(await run(process.execPath, [tsc, '-p', config], path())).toBe('')
          expect(existsSync(path(outDir, 'program.js'))).toBe(true)
          for (const { node } of found) {
            expect(await run(node, [join(outDir, 'program.js')], path())).toBe(expected)
          }
        },
      )
    })
  })
})
