import { runProgram } from 'mp-internal'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Project } from './project.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tsx = fileURLToPath(import.meta.resolve('tsx/cli'))
const readmes = [
  'README.md',
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
]

/** The programs in the README files, by file name: their first line is an import. */
const programs = new Map(readmes.flatMap((readme) => blocksOf(readme)))
let project: Project

beforeAll(() => {
  project = new Project(programs, { noEmit: true })
})

afterAll(() => project.remove())

test.each(readmes)('%s has a program', (readme) => {
  expect(blocksOf(readme)).not.toEqual([])
})

test('the compiler accepts every program', async () => {
  const { code, stdout } = await project.compile()
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
})

test.each([...programs.keys()])('%s runs, and prints what its comments say', async (name) => {
  const { code, stdout, stderr } = await runProgram(process.execPath, {
    args: [tsx, join(project.folder, 'src', name)],
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
