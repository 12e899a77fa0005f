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

/** The programs, and how many cases each has at least: none may get lost. */
const least = {
  corpus: 160,
  'corpus-scopes': 65,
  'corpus-references': 70,
  'corpus-module': 25,
  'corpus-commonjs': 30,
  'corpus-typescript': 18,
}
type Program = keyof typeof least

/** Those that run as they are in every way, from JavaScript and from TypeScript. */
const everywhere: readonly Program[] = ['corpus', 'corpus-scopes']

let esm: Awaited<ReturnType<typeof copyFixtures>>
let cjs: Awaited<ReturnType<typeof copyFixtures>>

beforeAll(async () => {
  esm = await copyFixtures('module')
  cjs = await copyFixtures('commonjs')
  for (const { directory } of [esm, cjs]) {
    for (const name of everywhere) {
      await copyFile(join(directory, `${name}.mjs`), join(directory, `${name}.ts`))
    }
  }
})

afterAll(async () => {
  await esm.remove()
  await cjs.remove()
})

function expectAll(report: readonly Case[], program: Program): void {
  expect(report.filter(({ ok }) => !ok)).toEqual([])
  expect(report.length).toBeGreaterThanOrEqual(least[program])
}

test('there are more than 300 functions and classes', () => {
  expect(Object.values(least).reduce((a, b) => a + b)).toBeGreaterThan(300)
})

interface Way {
  readonly title: string
  readonly program: Program
  readonly args: () => readonly string[]
  /** Also with a receiver that does not wait for imports. */
  readonly alsoSync?: boolean
}

const ways: readonly Way[] = [
  {
    title: 'an ES module',
    program: 'corpus',
    args: () => [join(fixtures, 'corpus.mjs')],
    alsoSync: true,
  },
  {
    title: 'an ES module full of closures',
    program: 'corpus-scopes',
    args: () => [join(fixtures, 'corpus-scopes.mjs')],
    alsoSync: true,
  },
  {
    title: 'an ES module, with what only those have',
    program: 'corpus-module',
    args: () => [join(fixtures, 'corpus-module.mjs')],
    alsoSync: true,
  },
  {
    title: 'an ES module that uses installed packages',
    program: 'corpus-references',
    args: () => [join(esm.directory, 'corpus-references.mjs')],
    alsoSync: true,
  },
  {
    title: 'an ES module that uses installed packages, run by tsx',
    program: 'corpus-references',
    args: () => [tsx, join(esm.directory, 'corpus-references.mjs')],
  },
  {
    title: 'a CommonJS module',
    program: 'corpus-commonjs',
    args: () => [join(fixtures, 'corpus-commonjs.cjs')],
    alsoSync: true,
  },
  ...everywhere.flatMap((program): Way[] => [
    {
      title: `TypeScript, as ES module run by tsx: ${program}`,
      program,
      args: () => [tsx, join(esm.directory, `${program}.ts`)],
      alsoSync: program === 'corpus',
    },
    {
      title: `TypeScript, as CommonJS run by tsx: ${program}`,
      program,
      args: () => [tsx, join(cjs.directory, `${program}.ts`)],
      alsoSync: program === 'corpus',
    },
  ]),
  {
    title: 'TypeScript with all that must be compiled, as ES module run by tsx',
    program: 'corpus-typescript',
    args: () => [tsx, join(esm.directory, 'corpus-typescript.ts')],
    alsoSync: true,
  },
  {
    title: 'TypeScript with all that must be compiled, as CommonJS run by tsx',
    program: 'corpus-typescript',
    args: () => [tsx, join(cjs.directory, 'corpus-typescript.ts')],
    alsoSync: true,
  },
]

describe.each(ways)('a program that is $title', ({ program, args, alsoSync }) => {
  test('sends its functions and classes to a receiver that waits for imports', async () => {
    expectAll(await runCorpus(args()), program)
  })

  test.runIf(alsoSync)(
    'sends its functions and classes to a receiver that does not wait',
    async () => {
      expectAll(await runCorpus([...args(), '--sync']), program)
    },
  )
})

describe.each(everywhere)('%s', (program) => {
  test.runIf(stripsTypes)('sends all when it is TypeScript run without a loader', async () => {
    expectAll(await runCorpus([join(esm.directory, `${program}.ts`)]), program)
  })

  test.each([
    ['esm', 'node20'],
    ['cjs', 'node20'],
    // Private elements become maps beside the class.
    ['esm', 'es2020'],
  ] as const)('sends all when esbuild bundled it as %s for %s', async (format, target) => {
    const { directory } = format === 'esm' ? esm : cjs
    const extension = format === 'esm' ? 'mjs' : 'cjs'
    const outfile = join(directory, `bundle-${program}-${target}.${extension}`)
    await runNode([
      esbuild,
      join(directory, `${program}.ts`),
      `--outfile=${outfile}`,
      `--format=${format}`,
      '--bundle',
      '--platform=node',
      `--target=${target}`,
      '--keep-names',
      '--log-level=error',
      // The receiver and the package are found as in an installation.
      '--external:@mp/pickle',
      '--external:./send.mjs',
      '--external:./lib/*',
    ])
    expectAll(await runCorpus([outfile]), program)
  })
})
