/**
 * What the command does when something is missing, fails, or is asked for wrongly.
 */
import { type Outcome, runProgram } from 'mp-internal'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import type { Results } from '../src/results.js'

const home = fileURLToPath(new URL('..', import.meta.url))
const main = join(home, 'dist/main.js')
const folder = mkdtempSync(join(tmpdir(), 'bench-'))

afterAll(() => rmSync(folder, { recursive: true }))

function bench(args: readonly string[], env?: Record<string, string>): Promise<Outcome> {
  return runProgram(process.execPath, { args: [main, ...args], env, timeoutMs: 25_000 })
}

function written(out: string): { results: Results; page: string } {
  const read = (name: string): string => readFileSync(join(out, name), 'utf8')
  return { results: JSON.parse(read('results.json')) as Results, page: read('README.md') }
}

/** A folder with nothing in it, or with a `python3` that is this script of the shell. */
function path(name: string, python?: string): Record<string, string> {
  const bin = join(folder, name)
  mkdirSync(bin)
  if (python !== undefined) {
    writeFileSync(join(bin, 'python3'), `#!/bin/sh\n${python}\n`)
    chmodSync(join(bin, 'python3'), 0o755)
  }
  return { PATH: bin }
}

test.each([
  ['no Python', undefined, 'there is no python3 on PATH'],
  ['an old Python', 'echo 3.10.4', 'python3 is 3.10.4, not 3.11 or newer'],
])('%s is named, and the others run', async (name, python, reason) => {
  const out = join(folder, `${name}, results`)
  const { code, stdout, stderr } = await bench(
    ['--smoke', '--only', 'locks/block', '--out', out],
    path(name, python),
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain(`Without Python: ${reason}`)
  const { results, page } = written(out)
  expect(results.skipped).toEqual([{ name: 'Python', reason }])
  expect(results.contests[0].contenders.map(({ name }) => name)).toEqual(['Lock'])
  expect(results.contests[0].goals[0]).toMatchObject({ shown: null, isMet: null })
  expect(page).toContain(`Not here, and left out: Python (${reason})`)
  expect(page).toContain('| not measured |')
})

test('a package that is not installed is named, and the others run', async () => {
  const copy = join(folder, 'copy')
  for (const name of ['dist', 'python', 'package.json'])
    cpSync(join(home, name), join(copy, name), { recursive: true })
  const modules = join(copy, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(join(home, 'node_modules')))
    if (name !== 'piscina' && !name.startsWith('.'))
      symlinkSync(join(home, 'node_modules', name), join(modules, name))
  const out = join(folder, 'without a package')
  const args = [join(copy, 'dist/main.js'), '--smoke', '--only', 'pools/burst', '--out', out]
  const { code, stdout, stderr } = await runProgram(process.execPath, { args, timeoutMs: 25_000 })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain('Without piscina: the package is not installed')
  const { results } = written(out)
  expect(results.skipped).toContainEqual({
    name: 'piscina',
    reason: 'the package is not installed',
  })
  const names = results.contests[0].contenders.map(({ name }) => name)
  expect(names).toContain('tinypool')
  expect(names).not.toContain('piscina')
  expect(results.versions).not.toHaveProperty('piscina')
  expect(results.versions).toHaveProperty('tinypool')
})

test('a contender that fails is told of and out, the others run on, and the command fails', async () => {
  const out = join(folder, 'failure')
  const { code, stderr } = await bench(
    ['--smoke', '--rounds', '3', '--only', '^locks/', '--out', out],
    path('a Python that fails', '[ "$1" = -c ] && echo 3.12.1 && exit; echo asked >&2; exit 3'),
  )
  expect(code).toBe(1)
  // Once for each of the three contests: who has failed is not asked again.
  expect(stderr.match(/^asked$/gm)).toHaveLength(3)
  expect(stderr).toContain('FAILED locks/block: Python Lock ended with exit code 3')
  const { results, page } = written(out)
  for (const { contenders } of results.contests) {
    expect(contenders[0].values).toHaveLength(3)
    expect(contenders[1]).toMatchObject({ values: [], failure: 'ended with exit code 3' })
  }
  expect(page).toContain('| Python Lock | ended with exit code 3 |')
})

test('a program that prints no positive number has failed', async () => {
  const { code, stderr } = await bench(
    ['--smoke', '--only', 'locks/block'],
    path('a Python that lies', '[ "$1" = -c ] && echo 3.12.1 && exit; echo -1'),
  )
  expect(code).toBe(1)
  expect(stderr).toContain('FAILED locks/block: Python Lock printed "-1\\n"')
})

test('--help says what there is, and --list names every contest', async () => {
  expect((await bench(['--help'])).stdout).toMatch(/^usage: pnpm bench /)
  const { stdout } = await bench(['--list'])
  for (const name of ['messages/one-way-integer', 'messages/crowd-8x4', 'pools/cold', 'starts/one'])
    expect(stdout).toContain(`${name}: `)
})

test.each([
  [['--only', 'nothing-of-this-name'], 'There is no contest of that name'],
  [['--only', '('], 'Invalid regular expression'],
  [['--rounds', '0'], 'Expected --rounds to be a positive integer, got 0'],
  [['--fast'], "Unknown option '--fast'"],
])('%j is refused', async (args, message) => {
  const { code, stderr } = await bench(args)
  expect(code).toBe(2)
  expect(stderr).toContain(message)
  expect(stderr).toContain('usage: pnpm bench')
})
