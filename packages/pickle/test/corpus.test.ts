/**
 * Functions and classes, sent from one process to another: the programs `fixtures/corpus*`, in every
 * way that a program can be run.
 */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  copyFixtures,
  esbuild,
  fixtures,
  runCorpus,
  runNode,
  tsx,
  type Case,
} from './run-fixture.js'

/** TypeScript runs without a loader from here on. */
const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
const stripsTypes = major > 22 || (major === 22 && minor >= 18)

let esm: Awaited<ReturnType<typeof copyFixtures>>
let cjs: Awaited<ReturnType<typeof copyFixtures>>

beforeAll(async () => {
  esm = await copyFixtures('module')
  cjs = await copyFixtures('commonjs')
  for (const { directory } of [esm, cjs]) {
    await copyFile(join(directory, 'corpus.mjs'), join(directory, 'corpus.ts'))
  }
})

afterAll(async () => {
  await esm.remove()
  await cjs.remove()
})

function expectAll(report: readonly Case[], least: number): void {
  expect(report.filter(({ ok }) => !ok)).toEqual([])
  expect(report.length).toBeGreaterThanOrEqual(least)
}

interface Way {
  readonly title: string
  readonly args: () => readonly string[]
  /** So many cases at least: none may get lost. */
  readonly least: number
}

const ways: Way[] = [
  {
    title: 'an ES module',
    args: () => [join(fixtures, 'corpus.mjs')],
    least: 160,
  },
  {
    title: 'an ES module, with what only those have',
    args: () => [join(fixtures, 'corpus-module.mjs')],
    least: 25,
  },
  {
    title: 'a CommonJS module',
    args: () => [join(fixtures, 'corpus-commonjs.cjs')],
    least: 30,
  },
  {
    title: 'an ES module run by tsx',
    args: () => [tsx, join(esm.directory, 'corpus.ts')],
    least: 160,
  },
  {
    title: 'a CommonJS module run by tsx',
    args: () => [tsx, join(cjs.directory, 'corpus.ts')],
    least: 160,
  },
  {
    title: 'TypeScript, as ES module run by tsx',
    args: () => [tsx, join(esm.directory, 'corpus-typescript.ts')],
    least: 18,
  },
  {
    title: 'TypeScript, as CommonJS run by tsx',
    args: () => [tsx, join(cjs.directory, 'corpus-typescript.ts')],
    least: 18,
  },
]

describe.each(ways)('a program that is $title', ({ args, least }) => {
  test('sends its functions and classes to a receiver that waits for imports', async () => {
    expectAll(await runCorpus(args()), least)
  })

  test('sends its functions and classes to a receiver that does not wait', async () => {
    expectAll(await runCorpus([...args(), '--sync']), least)
  })
})

test.runIf(stripsTypes)('a program in TypeScript runs without a loader', async () => {
  expectAll(await runCorpus([join(esm.directory, 'corpus.ts')]), 160)
})

test.each(['esm', 'cjs'] as const)('a program bundled by esbuild as %s', async (format) => {
  const { directory } = format === 'esm' ? esm : cjs
  const outfile = join(directory, `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`)
  await runNode([
    esbuild,
    join(directory, 'corpus.ts'),
    `--outfile=${outfile}`,
    `--format=${format}`,
    '--bundle',
    '--platform=node',
    '--target=node20',
    '--keep-names',
    '--log-level=error',
    // The receiver and the package are found as in an installation.
    '--external:@mp/pickle',
    '--external:./send.mjs',
    '--external:./lib/*',
  ])
  expectAll(await runCorpus([outfile]), 160)
})
