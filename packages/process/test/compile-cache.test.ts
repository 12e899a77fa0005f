/** Where compiled code is kept: that of the packages, of children, and on Nodes that can, of the program's modules. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import * as nodeModule from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runProgram } from './run-program.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mp-process-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A variable that is there and empty is there for Node. */
const WITHOUT = ['NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE', 'NODE_DISABLE_COMPILE_CACHE']

async function spawnWith(env: Record<string, string>): Promise<void> {
  const under = ['env', ...WITHOUT.flatMap((name) => ['-u', name])]
  const { code } = await runProgram('smoke.mjs', { args: ['spawn'], env, under })
  expect(code).toBe(0)
}

/** What is kept of children's own code. */
function keptIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('child-'))
}

/** Installs what `subclass.mjs` imports, as a package manager would. */
function copyPackages(to: string): void {
  const packages = join(import.meta.dirname, '..', '..')
  for (const name of ['process', 'pickle', 'shared-memory', 'sync']) {
    for (const part of ['package.json', 'lib', 'prebuilds']) {
      const from = join(packages, name, part)
      if (existsSync(from)) cpSync(from, join(to, '@mp', name, part), { recursive: true })
    }
  }
  const acorn = realpathSync(join(packages, 'pickle', 'node_modules', 'acorn'))
  cpSync(acorn, join(to, 'acorn'), { recursive: true })
}

/** Whether Node keeps the code of modules. */
const canKeepModules = 'enableCompileCache' in nodeModule

describe('compiled code', () => {
  test('is kept in the cache of the user', async () => {
    await spawnWith({ XDG_CACHE_HOME: folder })
    const directory = join(folder, 'mp-processes')
    const [name, ...more] = keptIn(directory)
    expect(name).toMatch(/^child-v\d+\.\d+\.\d+-\w+-\d+\.\d+\.\d+-\w+\.mp-code$/)
    expect(more).toEqual([])
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
  })

  test('is kept where the environment says', async () => {
    await spawnWith({ XDG_CACHE_HOME: folder, MP_COMPILE_CACHE: join(folder, 'here') })
    expect(keptIn(join(folder, 'here'))).toHaveLength(1)
    expect(existsSync(join(folder, 'mp-processes'))).toBe(false)
  })

  test('is taken by the next child, and made anew when it is damaged and old', async () => {
    const hour = new Date(Date.now() - 3_600_000)
    await spawnWith({ MP_COMPILE_CACHE: folder })
    const [name] = keptIn(folder)
    const file = join(folder, name)
    const whole = readFileSync(file)
    const flipped = Buffer.from(whole)
    flipped[whole.length >> 3] ^= 1
    for (const [bytes, isDamaged] of [
      [whole, false],
      [flipped, true],
      [whole.subarray(0, -4096), true],
      [whole.subarray(0, 0), true],
    ] as const) {
      writeFileSync(file, bytes)
      utimesSync(file, hour, hour)
      await spawnWith({ MP_COMPILE_CACHE: folder })
      // One that V8 had not taken would have been replaced, being old.
      expect(statSync(file).mtimeMs > hour.getTime() + 1_000).toBe(isDamaged)
      expect(keptIn(folder)).toEqual([name])
    }
    // What others have just kept stays, although it cannot be taken.
    writeFileSync(file, flipped)
    await spawnWith({ MP_COMPILE_CACHE: folder })
    expect(readFileSync(file).equals(flipped)).toBe(true)
  })

  test('of another version of the source is replaced at once', async () => {
    await spawnWith({ MP_COMPILE_CACHE: folder })
    const ours = /^(acorn|child|pickle|process|shared-memory)-/
    const names = readdirSync(folder).filter((name) => ours.test(name))
    // Of pickle and process both scripts; of sync, which the program imports, it is its own.
    expect(names).toHaveLength(7)
    for (const name of names) {
      const file = join(folder, name)
      const whole = readFileSync(file)
      // The source is at its end, and after it where it is.
      whole[whole.length - 1_000] ^= 1
      writeFileSync(file, whole)
      await spawnWith({ MP_COMPILE_CACHE: folder })
      expect(readFileSync(file).equals(whole)).toBe(false)
    }
  })

  test('of packages is kept by the first program that imports them, for those that follow', async () => {
    const run = async (env: Record<string, string>): Promise<unknown> => {
      const under = ['env', ...WITHOUT.flatMap((name) => ['-u', name])]
      const { stdout, stderr } = await runProgram('kept-code.mjs', { env, under })
      expect(stderr).toBe('')
      return JSON.parse(stdout)
    }
    const all = (how: string) => ({ process: how, 'shared-memory': how, pickle: how })
    expect(await run({ MP_COMPILE_CACHE: folder })).toEqual(all('compiled'))
    expect(await run({ MP_COMPILE_CACHE: folder })).toEqual(all('taken'))
    expect(
      await run({ MP_COMPILE_CACHE: folder, NODE_OPTIONS: '--max-old-space-size=300' }),
    ).toEqual(all('compiled'))
    expect(await run({ MP_COMPILE_CACHE: '0' })).toEqual(all('compiled'))
    expect(readdirSync(folder).filter((name) => name.startsWith('pickle-'))).toHaveLength(2)
  })

  // Nodes before 22 believe what is kept about where a script is.
  test.each(['spawn', 'forkserver', 'thread'])(
    'is kept apart for each place that packages are in, by %s',
    async (method) => {
      const env = { MP_COMPILE_CACHE: folder }
      const under = ['env', ...WITHOUT.flatMap((name) => ['-u', name])]
      const args = [method]
      const elsewhere = join(folder, 'elsewhere', 'subclass.mjs')
      copyPackages(join(folder, 'elsewhere', 'node_modules'))
      cpSync(join(import.meta.dirname, 'fixtures', 'subclass.mjs'), elsewhere)
      const here = await runProgram('subclass.mjs', { args, env, under })
      expect(here).toMatchObject({ code: 0, stderr: '' })
      expect(await runProgram(pathToFileURL(elsewhere), { args, env, under })).toEqual(here)
      expect(readdirSync(folder).filter((name) => name.startsWith('pickle-'))).toHaveLength(4)
    },
  )

  test('is removed when it has not been read for a month, and nothing else is', async () => {
    const old = new Date(Date.now() - 40 * 86_400_000)
    const recent = new Date(Date.now() - 20 * 86_400_000)
    const names = { 'of-other-v1.mp-code': old, 'of-ours-v2.mp-code': recent, 'of-theirs': old }
    for (const [name, readAt] of Object.entries(names)) {
      writeFileSync(join(folder, name), '')
      utimesSync(join(folder, name), readAt, old)
    }
    await spawnWith({ MP_COMPILE_CACHE: folder })
    const left = readdirSync(folder).filter((name) => name.startsWith('of-'))
    expect(left).toEqual(['of-ours-v2.mp-code', 'of-theirs'])
  })

  test('is kept apart for children with other flags, whatever their values', async () => {
    for (const flags of ['', '--max-old-space-size=300', '--max-old-space-size=301']) {
      await spawnWith({ MP_COMPILE_CACHE: folder, NODE_OPTIONS: flags })
    }
    expect(keptIn(folder)).toHaveLength(2)
  })

  test('is not seen by the program, unless the place is its own', async () => {
    const own = join(folder, 'own')
    const under = ['env', ...WITHOUT.flatMap((name) => ['-u', name])]
    const env = { XDG_CACHE_HOME: folder }
    const { stdout } = await runProgram('compile-cache.mjs', { args: [own], env, under })
    expect(stdout).toBe(`undefined false\nundefined false\n${own} true\n`)
    expect(existsSync(join(folder, 'mp-processes'))).toBe(true)
    expect(existsSync(own)).toBe(canKeepModules)
  })

  test('is not kept when the environment says so, or where others may write', async () => {
    await spawnWith({ XDG_CACHE_HOME: folder, MP_COMPILE_CACHE: '0' })
    expect(readdirSync(folder)).toEqual([])
    const open = join(folder, 'mp-processes')
    mkdirSync(open)
    chmodSync(open, 0o777)
    await spawnWith({ XDG_CACHE_HOME: folder })
    expect(readdirSync(open)).toEqual([])
  })
})
