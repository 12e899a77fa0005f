/** How functions and classes behave over more than one message, and in odd processes. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { copyFixtures, fixtures, runNode } from './run-fixture.js'

const [major] = process.versions.node.split('.').map(Number) as [number]

async function report(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await runNode(args)
  return JSON.parse(stdout.toString()) as Record<string, unknown>
}

test('classes and stable functions stay the same through many messages, and come home', async () => {
  const seen = await report(join(fixtures, 'identity.mjs'))
  expect(Object.entries(seen).filter(([, ok]) => ok !== true)).toEqual([])
  expect(Object.keys(seen)).toHaveLength(15)
})

test('functions whose code differs in a character or two are told apart', async () => {
  expect(await report(join(fixtures, 'alike.mjs'))).toEqual({ sent: 419, wrong: [] })
})

test('a thread sends functions to the main thread and gets some', async () => {
  expect(await report(join(fixtures, 'thread.mjs'))).toEqual({
    here: [20, 10],
    there: [20, true],
  })
})

test('a function is sent as it was started, when its file has been changed since', async () => {
  const { directory, remove } = await copyFixtures('module')
  try {
    const sender = await runNode([join(directory, 'changed-on-disk.mjs')])
    const receiver = await runNode([join(directory, 'print.mjs')], { input: sender.stdout })
    expect(receiver.stdout.toString()).toBe('42')
  } finally {
    await remove()
  }
})

const fromCommandLine = [
  {
    title: 'an ES module on the command line',
    args: ['--input-type=module', '--eval'],
    source: `import { dumps } from '@mp/pickle'
      import { config } from './lib/helper.mjs'
      const factor = 4
      const fn = async () => [factor, config.name, (await import('./lib/helper.mjs')).limit]
      process.stdout.write(dumps(fn))`,
  },
  {
    title: 'a script on the command line',
    args: ['--eval'],
    source: `const { dumps } = require('@mp/pickle')
      const factor = 4
      const fn = async () => [factor, require('./lib/helper.mjs').config.name, 42]
      process.stdout.write(dumps(fn))`,
  },
]

test.each(fromCommandLine)('a function of $title is sent', async ({ args, source }) => {
  const sender = await runNode([...args, source], { cwd: fixtures })
  const receiver = await runNode(['print.mjs'], { cwd: fixtures, input: sender.stdout })
  expect(JSON.parse(receiver.stdout.toString())).toEqual([4, 'config', 42])
})

test('nothing is written to standard error on the way', async () => {
  for (const args of [['corpus.mjs'], ['corpus-module.mjs'], ['corpus-commonjs.cjs', '--sync']]) {
    const { stderr } = await runNode([join(fixtures, args[0]), ...args.slice(1)])
    // Node itself says so on the versions where JSON imports or require(esm) are new.
    expect(
      stderr.replace(/^\(node:\d+\) ExperimentalWarning: (?:Import|Support).*\n.*\n/gm, ''),
    ).toBe('')
  }
})

// Older versions have no way to take the inspector away.
test.runIf(major >= 24)(
  'without an inspector, data and exports go, and the error says why',
  async () => {
    const seen = await report(
      '--permission',
      '--allow-fs-read=*',
      join(fixtures, 'no-inspector.mjs'),
    )
    const why = 'because this process has no inspector; export it from a module of its own'
    expect(seen).toEqual({
      data: true,
      builtin: true,
      handle: 'imported',
      function: `cannot send "handler": it cannot be looked at, ${why}`,
      reference: true,
      method: true,
      instance: `cannot send "job": class "Job" cannot be looked at, ${why}`,
    })
  },
)
