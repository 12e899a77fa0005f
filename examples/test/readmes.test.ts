import { runProgram } from 'mp-internal'
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tsx = fileURLToPath(import.meta.resolve('tsx/cli'))
const readmes = [
  'README.md',
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
]

/** The programs in the README files, by file name: their first line is an import. */
const programs = new Map(readmes.flatMap((readme) => blocksOf(readme)))
let project: string

/** A project in which the packages are installed, with each program as a file. */
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'readmes-'))
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'))
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: { composite: false, isolatedDeclarations: false, noEmit: true },
      include: ['*.ts'],
    }),
  )
  for (const [name, code] of programs) writeFileSync(join(project, name), code)
})

afterAll(() => rmSync(project, { recursive: true }))

test.each(readmes)('%s has a program', (readme) => {
  expect(blocksOf(readme)).not.toEqual([])
})

test('the compiler accepts every program', async () => {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { code, stdout } = await runProgram(process.execPath, { args: [tsc, '-p', project] })
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
})

test.each([...programs.keys()])('%s runs, and prints what its comments say', async (name) => {
  const { code, stdout, stderr } = await runProgram(process.execPath, {
    args: [tsx, join(project, name)],
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const promised = [...programs.get(name)!.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)]
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(promised.map((match) => match[1])))
})

function blocksOf(readme: string): [name: string, code: string][] {
  const text = readFileSync(join(root, readme), 'utf8')
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? '')
  const stem = readme.replaceAll('/', '-').replace(/-?README\.md$/, '') || 'root'
  return blocks.map((code, i) => [`${stem}-${i + 1}.ts`, code])
}
