/** The examples that do real work: each is run, and what it computes is compared with what is known. */
import { runProgram } from 'mp-internal'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'workloads-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

/** Runs an example; gives what it prints, as lines. */
async function run(name: string, ...args: string[]): Promise<string[]> {
  const program = fileURLToPath(new URL(`../${name}`, import.meta.url))
  const { code, stdout, stderr } = await runProgram(process.execPath, {
    args: ['--import', import.meta.resolve('tsx'), program, ...args],
    cwd: tmpdir(),
    timeoutMs: 28_000,
  })
  expect({ code, stderr, stdout }).toEqual({ code: 0, stderr: '', stdout: expect.any(String) })
  return stdout.trimEnd().split('\n')
}

test('images.ts makes a thumbnail of each image of a package', async () => {
  const target = join(folder, 'thumbnails')
  mkdirSync(target)
  const [images, colours] = await run('images.ts', themes('pepper-grinder'), target)
  expect(images).toMatch(/^1\d images, \d{6} pixels, \d{4,5} bytes of thumbnails$/)
  expect(colours).toMatch(/^1\d different colours$/)
  const files = readdirSync(target)
  expect(files).toHaveLength(Number.parseInt(images, 10))
  for (const file of files) {
    const png = readFileSync(join(target, file))
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect(png.readUInt32BE(16)).toBeLessThanOrEqual(24)
  }
})

test('compress.ts writes two compressed files for each, which give the file back', async () => {
  const source = join(folder, 'source')
  mkdirSync(join(source, 'deep'), { recursive: true })
  const texts = { 'a.txt': 'a'.repeat(10_000), 'deep/b.txt': 'to be or not to be\n'.repeat(500) }
  for (const [path, text] of Object.entries(texts)) writeFileSync(join(source, path), text)
  const target = join(folder, 'target')
  const [line] = await run('compress.ts', source, target)
  expect(line).toMatch(/^2 files, 19500 bytes: \d{2,3} by gzip, \d{2,3} by brotli$/)
  for (const [path, text] of Object.entries(texts)) {
    expect(gunzipSync(readFileSync(join(target, `${path}.gz`))).toString()).toBe(text)
    expect(brotliDecompressSync(readFileSync(join(target, `${path}.br`))).toString()).toBe(text)
  }
})

test('sieve.ts finds all primes up to a million', async () => {
  const lines = await run('sieve.ts', '1000000')
  expect(lines).toEqual(['78498 primes up to 1000000', 'the last is 999983'])
})

test('matrix.ts gets the same product as one process alone', async () => {
  const [product, times] = await run('matrix.ts', '96')
  expect(product).toMatch(/^96 × 96, \d+ bands: the same product$/)
  expect(times).toMatch(/^alone \d+ ms, on \d+ CPUs \d+ ms$/)
})

test('pi.ts comes near to π', async () => {
  const [line] = await run('pi.ts', '4')
  const [, estimate, darts] = /^π is about (\d\.\d{3}), after (\d+) million darts$/.exec(line) ?? []
  expect(darts).toBe('4')
  expect(Math.abs(Number(estimate) - Math.PI)).toBeLessThan(0.005) // six standard deviations
})

test('pipeline.ts adds up every line, whoever parsed it', async () => {
  const sums = new Map<string, number>()
  const cities = ['Oslo', 'Porto', 'Quito']
  for (let i = 0; i < 900; i++) {
    const city = cities[i % 3]
    sums.set(city, (sums.get(city) ?? 0) + 100 * (i % 100) + 10 + (i % 90))
  }
  const expected = [...sums].map(([city, cents]) => `${city}: ${(cents / 100).toFixed(2)}`)
  expect((await run('pipeline.ts', '900')).sort()).toEqual(expected)
})

test('web-server.ts gets the same answers with a pool, and tells what light requests waited', async () => {
  const [alone, pooled, same, ...rest] = await run('web-server.ts', '4')
  expect(alone).toMatch(/^computes itself: \d+ light answers, median [\d.]+ ms, worst [\d.]+ ms$/)
  expect(pooled).toMatch(/^has a pool: \d+ light answers, median [\d.]+ ms, worst [\d.]+ ms$/)
  expect([same, ...rest]).toEqual(['the same answers'])
})

test('words.ts counts what there is', async () => {
  const corpus = join(folder, 'corpus')
  mkdirSync(corpus)
  writeFileSync(join(corpus, 'one.txt'), 'The cat, the dog; THE END.')
  writeFileSync(join(corpus, 'two.txt'), 'a cat')
  writeFileSync(join(corpus, 'not.this'), 'the the the the')
  expect(await run('words.ts', corpus, '.txt')).toEqual([
    '2 files, 5 different words',
    'the: 3',
    'cat: 2',
    'a: 1',
    'dog: 1',
    'end: 1',
  ])
})

test('format.ts tells which files are not formatted, or cannot be read', async () => {
  const project = join(folder, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'good.ts'), "export const a = 'b'\n")
  writeFileSync(join(project, 'bad.ts'), 'export const a = "b";;\n')
  writeFileSync(join(project, 'broken.ts'), 'export const\n')
  const program = fileURLToPath(new URL('../format.ts', import.meta.url))
  const { code, stdout } = await runProgram(process.execPath, {
    args: ['--import', import.meta.resolve('tsx'), program, project],
    timeoutMs: 28_000,
  })
  expect(code).toBe(1)
  expect(stdout).toMatch(/^bad\.ts: not formatted\nbroken\.ts: .+\n1 of 3 files are formatted\n$/)
})

function themes(name: string): string {
  return fileURLToPath(
    new URL(`themes/${name}`, import.meta.resolve('jquery-ui-themes/package.json')),
  )
}
