/** Where children keep compiled code: their own, and on Nodes that can, that of the program's modules. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import * as nodeModule from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

/** What children keep of their own code. */
function keptIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('child-'))
}

/** Whether Node keeps the code of modules. */
const canKeepModules = 'enableCompileCache' in nodeModule

describe('compiled code', () => {
  test('is kept in the cache of the user', async () => {
    await spawnWith({ XDG_CACHE_HOME: folder })
    const directory = join(folder, 'mp-processes')
    const [name, ...more] = keptIn(directory)
    expect(name).toMatch(/^child-v\d+\.\d+\.\d+-\w+-[0-9a-f]{16}$/)
    expect(more).toEqual([])
    expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toHaveLength(canKeepModules ? 2 : 1)
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
    flipped[whole.length >> 2] ^= 1
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
