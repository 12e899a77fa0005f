/**
 * All contests in their shortest form. Nothing is judged by its time: they run, look at their results, and are written.
 */
import { XmlElement, parseXml } from '@rgrove/parse-xml'
import { expect, test } from 'vitest'
// As they are built: the programs that they start lie beside them.
import { allContests, fullName } from '../dist/contests/index.js'
import { callRoll, present } from '../dist/missing.js'
import { filesOf } from '../dist/report/index.js'
import { type ContestResult, type Results, judge } from '../dist/results.js'
import { compete } from '../dist/rounds.js'
import { describeCommit, describeMachine, load } from '../dist/surroundings.js'

const WORKERS = 2
const contests = allContests({ form: 'smoke', workers: WORKERS })
const { versions, missing } = callRoll(contests)
const shown: ContestResult[] = []

test('there are contests of every group, and everybody takes part somewhere', () => {
  const full = allContests({ form: 'full', workers: WORKERS })
  const groups = (all: typeof contests): Set<string> => new Set(all.map(({ group }) => group))
  expect(groups(contests)).toEqual(groups(full))
  const names = (all: typeof contests): Set<string> =>
    new Set(all.flatMap(({ contenders }) => contenders.map(({ name }) => name)))
  expect(names(contests)).toEqual(names(full))
})

test.each(contests.map((contest) => [fullName(contest), present(contest, missing)] as const))(
  '%s runs, and everybody shows a positive figure',
  async (_, contest) => {
    const result = judge(contest, await compete(contest, 1))
    expect(result.contenders.map(({ name }) => name)).toEqual(
      contest.contenders.map(({ name }) => name),
    )
    for (const { name, values, median, ratio, failure } of result.contenders) {
      expect({ name, failure }).toEqual({ name, failure: undefined })
      expect(values).toEqual([median])
      for (const value of [median, ratio]) {
        expect(value).toBeGreaterThan(0)
        expect(value).toBeLessThan(Infinity)
      }
    }
    shown.push(result)
  },
)

test('the page shows every contest and every chart, charts are well-formed, and no folder is named', async () => {
  const results: Results = {
    schema: 1,
    command: 'pnpm bench --smoke',
    form: 'smoke',
    rounds: 1,
    workers: WORKERS,
    date: new Date().toISOString(),
    seconds: 1,
    commit: describeCommit(),
    machine: describeMachine(),
    load: [load(), load()],
    versions: { Node: process.versions.node, ...versions },
    skipped: missing,
    contests: shown,
  }
  expect(shown).toHaveLength(contests.length)
  const files = await filesOf(results)
  const page = files.get('README.md')!
  for (const { title } of contests) expect(page).toContain(`### ${title}\n`)
  const images = [...page.matchAll(/!\[[^\]]+\]\((.+?)\)/g)].map((match) => match[1])
  const charts = [...files.keys()].filter((name) => name.endsWith('.svg'))
  expect(images).toEqual(charts)
  for (const name of charts) {
    const { root } = parseXml(files.get(name)!)
    expect(root).toBeInstanceOf(XmlElement)
    expect(root!.name).toBe('svg')
    expect(root!.text).not.toMatch(/NaN|undefined|null/)
  }
  for (const text of files.values()) expect(text).not.toMatch(/["' (]\/(home|root|tmp|work|usr)\//)
})
