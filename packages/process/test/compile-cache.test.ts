/** Where children keep compiled code, on Nodes that can. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
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

describe.skipIf(!('enableCompileCache' in nodeModule))('compiled code', () => {
  test('is kept in the cache of the user', async () => {
    await spawnWith({ XDG_CACHE_HOME: folder })
    expect(readdirSync(join(folder, 'mp-processes'))).not.toEqual([])
  })

  test('is kept where the environment says', async () => {
    await spawnWith({ XDG_CACHE_HOME: folder, MP_COMPILE_CACHE: join(folder, 'here') })
    expect(readdirSync(join(folder, 'here'))).not.toEqual([])
    expect(existsSync(join(folder, 'mp-processes'))).toBe(false)
  })

  test('is not seen by the program, unless the place is its own', async () => {
    const own = join(folder, 'own')
    const under = ['env', ...WITHOUT.flatMap((name) => ['-u', name])]
    const env = { XDG_CACHE_HOME: folder }
    const { stdout } = await runProgram('compile-cache.mjs', { args: [own], env, under })
    expect(stdout).toBe(`undefined false\nundefined false\n${own} true\n`)
    expect(existsSync(join(folder, 'mp-processes'))).toBe(true)
    expect(existsSync(own)).toBe(true)
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
