/**
 * How figures become results, and what is published.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Contest, Goal, Kind, Unit } from '../src/contest.js'
import { checkOf, type Payload, type Spec } from '../src/programs/spec.js'
import { filesOf, readResults, withBenchmarks } from '../src/report/index.js'
import { judge } from '../src/results.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const published = join(root, 'benchmarks/results')

const RATE: Unit = { name: 'tasks/s', factor: 1, better: 'more' }
const TIME: Unit = { name: 'ms', factor: 1, better: 'less' }

function shown(unit: Unit, goals: Goal[], values: Record<string, number[]>) {
  const contenders = Object.keys(values).map((name) => ({
    name,
    kind: (name === 'ours' ? 'ours' : 'node') as Kind,
    program: '',
    spec: {},
  }))
  const contest: Contest = {
    group: 'group',
    name: 'name',
    title: 'A contest',
    unit,
    form: 'full',
    goals,
    contenders,
  }
  return judge(
    contest,
    contenders.map((contender) => ({ contender, values: values[contender.name] })),
  )
}

test('the ratio is the median of the ratios of each round, not the ratio of the medians', () => {
  const { contenders } = shown(RATE, [], { ours: [100, 10, 30], other: [50, 10, 1] })
  expect(contenders[1]).toMatchObject({ median: 10, lowest: 1, highest: 50, ratio: 2 })
  expect(contenders[0].ratio).toBe(1)
})

test('of times the shorter is the better', () => {
  const { contenders } = shown(TIME, [], { ours: [1, 2, 3], other: [10, 20, 30] })
  expect(contenders[1].ratio).toBe(10)
})

test('a goal is measured against the best of those that are named, round by round', () => {
  const goal = { text: 'twice the best', of: 'ours', times: 2, beside: ['slow', 'quick'] }
  const values = { ours: [40, 40, 40], slow: [10, 30, 1], quick: [20, 20, 20] }
  expect(shown(RATE, [goal], values).goals).toEqual([
    { text: 'twice the best', wanted: 2, isLimit: false, shown: 2, isMet: true },
  ])
  expect(shown(TIME, [goal], values).goals[0]).toMatchObject({ shown: 0.25, isMet: false })
})

test('a limit is above what costs, and below what is gained', () => {
  const goal = { text: 'limit', of: 'ours', limit: 5 }
  expect(shown(TIME, [goal], { ours: [4, 4, 9] }).goals[0]).toMatchObject({ shown: 4, isMet: true })
  expect(shown(RATE, [goal], { ours: [4, 4, 9] }).goals[0]).toMatchObject({ isMet: false })
})

test.each<[Spec['payload'], Payload, Payload]>([
  ['integer', 3, 4],
  ['object', { id: 3, name: '', x: 1.5, ok: true }, { id: 3, name: '', x: 2, ok: true }],
  ['bytes', new Uint8Array([7, 0, 7]), new Uint8Array([7, 0, 0])],
  ['bytes', new Uint8Array([7, 0, 7]), new Uint8Array([7, 7])],
])('a wrong message of %s is noticed', (payload, right, wrong) => {
  const check = checkOf({ payload, size: 3 } as Spec)
  expect(() => check(right, 3)).not.toThrow()
  expect(() => check(wrong, 3)).toThrow('Message 3 is not what was sent')
})

test('what is published is what its results give, and the front page shows it', async () => {
  const results = readResults(published)
  const files = await filesOf(results)
  expect(readdirSync(published).sort()).toEqual([...files.keys()].sort())
  for (const [name, text] of files) expect(readFileSync(join(published, name), 'utf8')).toBe(text)
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  expect(await withBenchmarks(readme, results, 'benchmarks/results')).toBe(readme)
  const images = [...readme.matchAll(/!\[[^\]]+\]\((benchmarks\/results\/[^)]+)\)/g)]
  expect(images.length).toBeGreaterThan(2)
  for (const [, path] of images) expect(existsSync(join(root, path))).toBe(true)
})
