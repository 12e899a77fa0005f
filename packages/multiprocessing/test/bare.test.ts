/** Threads without the addon: as a program sees them. `pnpm test:bare` runs the suites of all packages so. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from 'mp-internal'
import { expect, onTestFinished, test } from 'vitest'

const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url))
const packages = fileURLToPath(new URL('../../', import.meta.url))

/** Runs a program that says nothing on stderr. */
async function run(
  fixture: string,
  env: Record<string, string>,
  ...args: string[]
): Promise<string> {
  const { stdout, stderr, code } = await runProgram(process.execPath, {
    args: [join(fixtures, fixture), ...args],
    env,
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

test('a program of threads does the same with the addon and without', async () => {
  const without = await run('bare-all.mjs', { MP_PLATFORM: 'bare' })
  expect(without).toBe(await run('bare-all.mjs', { MP_PLATFORM: 'native' }))
  expect(without).toContain('true [ 0.5, 0.5, 0.5 ] 200000 9\n0\necho 4\n')
})

test('the lock of a thread is handed on however it ends, also while its starter blocks', async () => {
  expect(await run('bare-deaths.mjs', { MP_PLATFORM: 'bare' })).toBe(`\
spins true true true
sleeps true true true
exits true true true
throws true true true
started another true true true
early -9
held by a thread of the program
own true
`)
})

test('threads that are killed while they count under a lock leave nothing half done', async () => {
  const kills = process.env['MP_BARE_KILLS'] ?? '12'
  expect(await run('bare-storm.mjs', { MP_PLATFORM: 'bare' }, kills)).toBe('true 0 true\n')
})

test('where there is no binary a warning says so, threads work, and what needs processes says how to build it', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mp-bare-')))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const name of readdirSync(packages)) {
    const to = join(folder, 'node_modules/@mp', name)
    mkdirSync(to, { recursive: true })
    for (const part of ['package.json', 'lib']) {
      cpSync(join(packages, name, part), join(to, part), { recursive: true })
    }
  }
  symlinkSync(join(packages, 'pickle/node_modules/acorn'), join(folder, 'node_modules/acorn'))
  cpSync(join(fixtures, 'bare-limits.mjs'), join(folder, 'program.mjs'))
  const { stdout, stderr, code } = await runProgram(process.execPath, {
    args: [join(folder, 'program.mjs')],
    env: { MP_PLATFORM: '' },
  })
  expect(code).toBe(0)
  const lines = stdout.split('\n')
  expect(lines[0]).toBe("thread [ 'thread' ]")
  expect(lines.slice(1, 4).join('\n')).toMatch(
    /^(ERR_MP_NATIVE_MISSING Cannot start processes by '(spawn|forkserver)': .*is missing.*build-native.*'thread'\n?){3}$/,
  )
  expect(lines.slice(4, 6).join('\n')).toMatch(
    /^(ERR_MP_NATIVE_MISSING A SharedMemory cannot have a name.*is missing.*build-native.*\n?){2}$/,
  )
  expect(lines.slice(6).sort()).toEqual(['', 'ended 0', 'set'])
  expect(stderr.match(/MP_NATIVE_MISSING\] Warning: Only threads can be started/g)).toHaveLength(1)
})

test('a platform that there is not is refused', async () => {
  const { code, stderr } = await runProgram(process.execPath, {
    args: [join(fixtures, 'bare-limits.mjs')],
    env: { MP_PLATFORM: 'wasm' },
  })
  expect(code).toBe(1)
  expect(stderr).toContain('Expected `MP_PLATFORM` to be `native` or `bare`, got `wasm`')
})
