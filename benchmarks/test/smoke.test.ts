/**
 * All contests in their shortest form. Nothing is judged by its time: they run, look at their results, and are written.
 */
import { type Outcome, runProgram } from 'mp-internal'
import { XmlElement, parseXml } from '@rgrove/parse-xml'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allContests, fullName } from '../src/contests/index.js'
import type { Results } from '../src/results.js'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const groups = [...new Set(allContests({ form: 'smoke', workers: 2 }).map(({ group }) => group))]
const folder = mkdtempSync(join(tmpdir(), 'bench-'))

afterAll(() => rmSync(folder, { recursive: true }))

test('every group has contests of a smoke run', () => {
  const all = new Set(allContests({ form: 'full', workers: 2 }).map(({ group }) => group))
  expect(groups).toEqual([...all])
})

describe.each(groups)('%s', (group) => {
  const out = join(folder, group)
  const wanted = allContests({ form: 'smoke', workers: 2 }).filter((each) => each.group === group)
  let outcome: Outcome
  let results: Results

  beforeAll(async () => {
    const args = [main, '--smoke', '--workers', '2', '--only', `^${group}/`, '--out', out]
    outcome = await runProgram(process.execPath, { args, timeoutMs: 29_000 })
    results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results
  })

  test('all run to their end, and complain of nothing', () => {
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(results.contests.map(fullName)).toEqual(wanted.map(fullName))
  })

  test('every contender that is not named as missing has a positive figure', () => {
    const missing = new Set(results.skipped.map(({ name }) => name))
    for (const [i, contest] of results.contests.entries()) {
      const present = wanted[i].contenders.filter(
        ({ kind, needs = '' }) => !missing.has(kind === 'python' ? 'Python' : needs),
      )
      expect(contest.contenders.map(({ name }) => name)).toEqual(present.map(({ name }) => name))
      for (const { values, median, lowest, highest, ratio } of contest.contenders) {
        expect(values).toHaveLength(1)
        for (const value of [...values, median, lowest, highest, ratio]) {
          expect(value).toBeGreaterThan(0)
          expect(value).toBeLessThan(Infinity)
        }
      }
    }
  })

  test('the results say where and with what, and name neither host nor folder', () => {
    expect(results).toMatchObject({
      schema: 1,
      form: 'smoke',
      rounds: 1,
      machine: { cpu: expect.any(String), cores: expect.any(Number), kernel: expect.any(String) },
      versions: { Node: process.versions.node },
    })
    expect(JSON.stringify({ ...results, command: '' })).not.toMatch(/"\/|\/(home|root|tmp|work)\//)
  })

  test('the page shows every contest and every chart, and charts are well-formed', () => {
    const page = readFileSync(join(out, 'README.md'), 'utf8')
    for (const { title } of wanted) expect(page).toContain(`### ${title}\n`)
    const charts = readdirSync(out).filter((name) => name.endsWith('.svg'))
    const shown = [...page.matchAll(/!\[[^\]]+\]\((.+?)\)/g)].map((match) => match[1])
    expect(new Set(shown)).toEqual(new Set(charts))
    for (const name of charts) {
      const { root } = parseXml(readFileSync(join(out, name), 'utf8'))
      expect(root).toBeInstanceOf(XmlElement)
      expect(root!.name).toBe('svg')
      expect(root!.text).not.toMatch(/NaN|undefined|null/)
    }
  })
})
