/**
 * Compares what is ours with what else there is, side by side: `pnpm bench`.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Contest, Form } from './contest.js'
import { allContests, fullName } from './contests/index.js'
import { callRoll, present } from './missing.js'
import { readResults, withBenchmarks, writeResults } from './report/index.js'
import { table } from './report/table.js'
import { type ContestResult, type Results, SCHEMA, judge } from './results.js'
import { compete } from './rounds.js'
import { describeCommit, describeMachine, load } from './surroundings.js'

const HELP = `usage: pnpm bench [--quick] [--only PATTERN…] [--rounds N] [--workers N] [--ours] [--out FOLDER] [--redraw] [--list] [--help]

Measures queues, pipes, pools, starts, locks and functions beside Python's multiprocessing (3.11 or newer, on PATH),
child_process, worker_threads, piscina, tinypool, workerpool and poolifier. All take turns; every program looks at its
results. Who is not installed is left out and named. Tables have medians, lowest and highest, and how many times better
the first line is: the median of the ratios of each round.

A whole run writes results.json, README.md and charts into benchmarks/results, and their short form into the front
page. Others write only where --out says.

  --quick         a tenth of the messages and tasks, the most telling sizes, three rounds
  --smoke         next to nothing, once: shows only that everything works
  --only PATTERN  contests whose group/name matches this regular expression; may be given several times
  --rounds N      how often each measures (default 5)
  --workers N     how many workers a pool has (default: as many as there are processors)
  --ours          only our own side, to see what a change does
  --out FOLDER    where to write
  --redraw        measures nothing; writes all again from results.json
  --list          names the contests`

const ROUNDS: Record<Form, number> = { smoke: 1, quick: 3, full: 5 }
const README = fileURLToPath(new URL('../../README.md', import.meta.url))
const PUBLISHED = fileURLToPath(new URL('../results', import.meta.url))
const FROM_README = 'benchmarks/results'

const options = readOptions()
if (options === undefined) process.exitCode = 2
else if (options.help) console.log(HELP)
else if (options.list)
  for (const contest of options.contests) console.log(`${fullName(contest)}: ${contest.title}`)
else if (options.redraw) await write(readResults(options.out), options.out)
else await main(options)

interface Options {
  readonly form: Form
  readonly contests: readonly Contest[]
  readonly rounds: number
  readonly workers: number
  readonly out: string
  /** Whether to write: a whole run does, and one that was told where. */
  readonly isKept: boolean
  readonly redraw: boolean
  readonly list: boolean
  readonly help: boolean
}

async function main(options: Options): Promise<void> {
  const results = await measure(options)
  for (const goal of results.contests.flatMap(({ goals }) => goals))
    if (goal.isMet === false) console.log(`Missed: ${goal.text} (${goal.shown})`)
  if (options.isKept) await write(results, options.out)
  const failures = results.contests.flatMap((contest) =>
    contest.contenders
      .filter(({ failure }) => failure !== undefined)
      .map(({ name, failure }) => `${fullName(contest)}: ${name} ${failure}`),
  )
  for (const line of failures) console.error(`FAILED ${line}`)
  if (failures.length > 0) process.exitCode = 1
}

async function measure({ form, contests, rounds, workers }: Options): Promise<Results> {
  const start = performance.now()
  const { versions, missing } = callRoll(contests)
  const machine = describeMachine()
  const commit = describeCommit()
  const loadBefore = load()
  console.log(
    `Node ${process.versions.node}, ${machine.cores} cores (${machine.cpu}), load ${loadBefore}, ${rounds} rounds`,
  )
  for (const { name, reason } of missing) console.log(`Without ${name}: ${reason}`)
  const shown: ContestResult[] = []
  for (const contest of contests.map((each) => present(each, missing))) {
    if (contest.contenders.length === 0) continue
    const began = performance.now()
    const result = judge(contest, await compete(contest, rounds))
    const seconds = (performance.now() - began) / 1_000
    console.log(`\n${table(result)}\n(${seconds.toFixed()} s)`)
    shown.push(result)
  }
  return {
    schema: SCHEMA,
    command: ['pnpm bench', ...process.argv.slice(2)].join(' '),
    form,
    rounds,
    workers,
    date: new Date().toISOString(),
    seconds: Math.round((performance.now() - start) / 1_000),
    commit,
    machine,
    load: [loadBefore, load()],
    versions: { Node: process.versions.node, ...versions },
    skipped: missing,
    contests: shown,
  }
}

/** Writes into a folder; what is published is also told of on the front page. */
async function write(results: Results, out: string): Promise<void> {
  await writeResults(results, out)
  if (out === PUBLISHED)
    writeFileSync(README, await withBenchmarks(readFileSync(README, 'utf8'), results, FROM_README))
  console.log(`\nWritten to ${relative('', out) || '.'}`)
}

/** What the command line asks for; undefined, and said why, when that cannot be. */
function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        smoke: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string' },
        workers: { type: 'string' },
        ours: { type: 'boolean', default: false },
        out: { type: 'string' },
        redraw: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const form = values.smoke ? 'smoke' : values.quick ? 'quick' : 'full'
    const rounds = natural('rounds', values.rounds ?? ROUNDS[form])
    const workers = natural('workers', values.workers ?? availableParallelism())
    const patterns = values.only.map((pattern) => new RegExp(pattern))
    const contests = allContests({ form, workers })
      .filter(
        (contest) =>
          patterns.length === 0 || patterns.some((pattern) => pattern.test(fullName(contest))),
      )
      .map((contest) =>
        values.ours
          ? { ...contest, contenders: contest.contenders.filter(({ kind }) => kind === 'ours') }
          : contest,
      )
    if (contests.length === 0) throw new RangeError('There is no contest of that name')
    const { redraw, list, help } = values
    const isWhole = form === 'full' && patterns.length === 0 && !values.ours
    const isKept = isWhole || values.out !== undefined
    const out = resolve(values.out ?? PUBLISHED)
    return { form, contests, rounds, workers, out, isKept, redraw, list, help }
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`)
    return undefined
  }
}

function natural(name: string, given: string | number): number {
  const number = Number(given)
  if (Number.isInteger(number) && number >= 1) return number
  throw new RangeError(`Expected --${name} to be a positive integer, got ${given}`)
}
