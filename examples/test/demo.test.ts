import { until } from 'mp-internal'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startDemo } from './run-example.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'demo-'))
})

afterEach(() => rmSync(directory, { recursive: true }))

/** Text that is some work to compress, another one for each seed. */
function words(count: number, seed: number): string {
  let state = seed + 1
  const next = (): number => (state = (state * 48_271) % 0x7fffffff)
  return Array.from({ length: count }, () => (next() % 50_000).toString(36)).join(' ')
}

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text)
}

/** About so many seconds of work, in files of a tenth of a second or two. */
function writeWork(seconds: number): void {
  for (let i = 0; i < 6 * seconds; i++) write(`${i}.txt`, words(20_000, i))
}

test('the results of the pool and of one process are identical', async () => {
  mkdirSync(join(directory, 'deeper/still'), { recursive: true })
  for (let i = 0; i < 20; i++)
    write(`${i % 2 ? 'deeper' : 'deeper/still'}/${i}.txt`, words(1000, i))
  write('few.txt', 'Wie geht es dir? — Gut, gut.')
  write('binary', 'not\0text')
  write('empty.txt', '')
  write('too-large.txt', 'x '.repeat(100_000))
  symlinkSync(join(directory, 'few.txt'), join(directory, 'link.txt'))

  const { code, stdout, stderr } = await startDemo(directory, '--processes', '2').end()
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain(`${directory}: 24 files, `)
  expect(stdout).toContain('taken from all over it: 21 text files, 0.1 MB')
  const [, pool = '', alone = '', end = ''] = stdout.split('\n\n')
  expect(pool).toMatch(/^a pool of 2\n( {2}process \d+: \d+ % of the work, .*\n){1,2} {2}[\d.]+ s$/)
  expect(alone).toMatch(
    /^this process alone\n {2}process \d+: 100 % of the work, 21 files, 0.1 MB\n {2}[\d.]+ s$/,
  )
  expect(end).toMatch(/^speed-up: [\d.]+ times on \d+ CPUs\nresults: identical for all 21 files\n/)
  expect(end).toContain('20006 words')
  // No terminal, no progress bar.
  expect(stdout).not.toContain('\x1b')
})

test('different results are an error', async () => {
  writeWork(2)
  const demo = startDemo(directory)
  await demo.untilOutput('this process alone')
  appendFileSync(join(directory, '9.txt'), ' another word')
  const { code, stderr } = await demo.end()
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'results: DIFFERENT\n' })
})

test('--limit bounds what is read', async () => {
  for (let i = 0; i < 40; i++) write(`${i}.txt`, 'word '.repeat(2000))
  const { code, stdout } = await startDemo(directory, '--limit', '0.1').end()
  expect(code).toBe(0)
  expect(stdout).toContain('taken from all over it: 10 text files, 0.1 MB')
})

test('--help tells of the options', async () => {
  const { code, stdout } = await startDemo('--help').end()
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Usage: demo \[directory\]/)
})

test('what is wrong with the arguments is said in one line', async () => {
  const wrong: [args: string[], message: string][] = [
    [['/no/such/directory'], 'there is no directory /no/such/directory'],
    [['--processes', '0'], '--processes has to be a positive integer, got 0'],
    [['--limit', 'much'], '--limit has to be a positive number, got much'],
    [['--colour'], "Unknown option '--colour'"],
    [['one', 'two'], 'there can be one directory, got one two'],
  ]
  const outcomes = await Promise.all(wrong.map(([args]) => startDemo(...args).end()))
  for (const [i, { code, stdout, stderr }] of outcomes.entries()) {
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^demo: .*\n$/)
    expect(stderr).toContain(wrong[i]?.[1])
  }
})

test('a directory without text files is an error', async () => {
  const { code, stderr } = await startDemo(directory).end()
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `demo: there are no text files in ${directory}\n`,
  })
})

describe('Ctrl-C ends everything within a second, with exit code 130 and no stack', () => {
  test.each([
    ['while the pool works', 'a pool of'],
    ['while this process works alone', 'this process alone'],
  ])('%s', async (_, phase) => {
    writeWork(phase === 'a pool of' ? 20 : 3)
    const demo = startDemo(directory, '--processes', '2')
    await demo.untilOutput(phase)
    // The demo and the two processes of its pool.
    if (phase === 'a pool of') await until('all run', () => demo.processes().length === 3)
    const start = performance.now()
    // To the whole group, as a terminal does.
    process.kill(-demo.child.pid!, 'SIGINT')
    const { code, stderr } = await demo.end()
    expect(performance.now() - start).toBeLessThan(1_000)
    expect({ code, stderr }).toEqual({ code: 130, stderr: 'interrupted\n' })
  })
})
