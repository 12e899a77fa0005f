/** What is said when the addon is not there, and when it cannot be built. */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Native } from '../dist/native.js'

const packageRoot = fileURLToPath(new URL('..', import.meta.url))
const platform = `${process.platform}-${process.arch}`
const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
const binary = `node.napi.${header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'}`
let folder: string

/** A package of its own that has only the loader, built, and its folder of binaries. */
async function copyOfLoader(): Promise<{ loadNative: () => Native }> {
  mkdirSync(join(folder, 'prebuilds', platform), { recursive: true })
  mkdirSync(join(folder, 'dist'))
  cpSync(join(packageRoot, 'package.json'), join(folder, 'package.json'))
  const source = readFileSync(join(packageRoot, 'dist', 'native.js'), 'utf8')
  const file = join(folder, 'dist', 'native.js')
  writeFileSync(file, source.replace(/^\/\/# sourceMappingURL=.*/m, ''))
  return (await import(pathToFileURL(file).href)) as { loadNative: () => Native }
}

function build(env: NodeJS.ProcessEnv): { status: number | null; stdout: string; stderr: string } {
  cpSync(join(packageRoot, 'native'), join(folder, 'native'), { recursive: true })
  cpSync(join(packageRoot, 'scripts'), join(folder, 'scripts'), { recursive: true })
  cpSync(join(packageRoot, 'package.json'), join(folder, 'package.json'))
  const script = join(folder, 'scripts', 'build-native.mjs')
  const options = { encoding: 'utf8', timeout: 25_000, env: { ...process.env, ...env } } as const
  return spawnSync(process.execPath, [script], options)
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mp-loader-'))
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

test('a missing binary names the platform, the file and what to run', async () => {
  const { loadNative } = await copyOfLoader()
  const path = join(folder, 'prebuilds', platform)
  const refusal = { code: 'ERR_MP_NATIVE_MISSING', message: expect.stringContaining(path) }
  for (let i = 0; i < 2; i++) expect(loadNative).toThrow(expect.objectContaining(refusal))
  expect(loadNative).toThrow(`for ${platform} is missing`)
  expect(loadNative).toThrow('build-native.mjs')
})

test('a binary that cannot be loaded says why', async () => {
  const { loadNative } = await copyOfLoader()
  for (const libc of ['glibc', 'musl'])
    writeFileSync(join(folder, 'prebuilds', platform, `node.napi.${libc}.node`), 'not a binary')
  const refusal = { code: 'ERR_MP_NATIVE_MISSING', cause: expect.any(Error) }
  expect(loadNative).toThrow(expect.objectContaining(refusal))
  expect(loadNative).toThrow(
    /cannot be loaded from .*prebuilds.*: .*glibc\.node.*musl\.node.*; run .*--force/,
  )
})

test('another operating system is named, with those that are supported', async () => {
  const { loadNative } = await copyOfLoader()
  vi.spyOn(process, 'platform', 'get').mockReturnValue('win32')
  expect(loadNative).toThrow(expect.objectContaining({ code: 'ERR_MP_UNSUPPORTED' }))
  expect(loadNative).toThrow(/does not run on win32.*Linux/)
})

test('the build says that there is no compiler, and how to get one', () => {
  const { status, stderr } = build({ CC: 'no-such-compiler -O3' })
  expect(status).toBe(1)
  expect(stderr).toMatch(/^build-native: no C compiler works \(tried no-such-compiler -O3\)/)
  expect(stderr).toContain('apt-get install gcc libc6-dev')
})

test('the build says that the headers are missing', () => {
  // pnpm's own scripts set NODE_PATH to where every package is.
  const { status, stderr } = build({ NODE_PATH: '' })
  expect(status).toBe(1)
  expect(stderr).toMatch(
    /^build-native: the package node-api-headers is missing: run `pnpm install`/,
  )
})

test('a build that fails shows what the compiler says and leaves nothing behind', () => {
  cpSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'), {
    recursive: true,
    dereference: true,
  })
  const { status, stderr } = build({ CFLAGS: '-include no-such.h' })
  expect(status).toBe(1)
  expect(stderr).toContain('the header no-such.h is missing')
  expect(readdirSync(join(folder, 'prebuilds', platform))).toEqual([])
})

test('a build that is up to date is not repeated', () => {
  cpSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'), {
    recursive: true,
    dereference: true,
  })
  expect(build({})).toMatchObject({ status: 0, stdout: expect.stringContaining(' built with ') })
  expect(build({})).toMatchObject({ status: 0, stdout: expect.stringContaining('is up to date') })
  expect(build({ CFLAGS: '-g' }).stdout).toContain(' built with ')
  expect(readdirSync(join(folder, 'prebuilds', platform))).toEqual([
    `${binary}.node`,
    `${binary}.stamp`,
  ])
}, 90_000)
