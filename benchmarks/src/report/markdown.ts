/**
 * Writes results as Markdown: the page of a run, and the short form for the front page.
 *
 * @module
 */
import type { Kind } from '../contest.js'
import { fullName } from '../contests/index.js'
import {
  type ContenderResult,
  type ContestResult,
  type GoalResult,
  type Results,
  ratioOf,
} from '../results.js'
import type { Chart } from './charts.js'
import { figure, times } from './figure.js'

const GROUPS: Record<string, string> = {
  messages: 'Queues and pipes',
  pools: 'Pools',
  starts: 'Starting processes',
  locks: 'Locks',
  functions: 'Sending functions',
}

/** The contests that the front page names. */
const HEADLINES = [
  'messages/one-way-integer',
  'messages/round-trip-integer',
  'messages/stream-1-MiB',
  'messages/stream-64-MiB',
  'pools/burst',
  'pools/round-trip',
  'pools/first-trips',
  'pools/imap',
  'starts/one',
  'locks/block',
]

/** The whole page; charts lie beside it. */
export function page(results: Results, charts: readonly Chart[]): string {
  const { contests } = results
  const sections = [...new Set(contests.map(({ group }) => group))].flatMap((group) => [
    `## ${GROUPS[group] ?? group}`,
    ...contests
      .filter((contest) => contest.group === group)
      .map((contest) => section(contest, charts)),
  ])
  return `${[
    '# Benchmarks: what was measured',
    `<!-- Written by \`${results.command}\`. -->`,
    about(results),
    ...skipped(results),
    '## The best of each',
    summary(contests),
    '## What was wanted',
    'Figures say how many times better ours is, or what it takes. A machine that is busy misses goals for no fault of the code, and meets some for no merit.',
    goals(contests),
    ...sections,
  ].join('\n\n')}\n`
}

/** For the front page: where the charts are is told from there. */
export function frontPage(results: Results, charts: readonly Chart[], folder: string): string {
  const contests = HEADLINES.flatMap((name) =>
    results.contests.filter((contest) => fullName(contest) === name),
  )
  return [
    summary(contests),
    ...charts.filter(({ isHeadline }) => isHeadline).map(image(`${folder}/`)),
    `${about(results)} [All figures](${folder}/README.md).`,
  ].join('\n\n')
}

/** Machine, versions, commit and command. */
function about(results: Results): string {
  const { machine, versions, rounds, load, command, commit, date, seconds, form } = results
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    `\`${command}\` at commit ${commit}, ${date.slice(0, 10)}: ${rounds} ${rounds === 1 ? 'round' : 'rounds'} in turns, ${Math.round(seconds / 60)} minutes${form === 'full' ? '' : `, the ${form} form`}.`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel} (${machine.architecture}); load ${load[0]} before and ${load[1]} after.`,
    `${software.join(', ')}.`,
    'Figures are medians of all rounds; ratios are medians of the ratios of each round.',
  ].join(' ')
}

function image(folder: string): (chart: Chart) => string {
  return ({ title, file }) => `![${title}](${folder}${file})`
}

function skipped({ skipped }: Results): string[] {
  if (skipped.length === 0) return []
  return [
    `Not here, and left out: ${skipped.map(({ name, reason }) => `${name} (${reason})`).join('; ')}.`,
  ]
}

/** A line for each contest: the best of ours, of Node's and of Python's. */
function summary(contests: readonly ContestResult[]): string {
  const rows = contests.flatMap((contest) => {
    const { title, unit } = contest
    const [ours, node, python] = (['ours', 'node', 'python'] as const).map((kind) =>
      best(contest, kind),
    )
    if (ours === undefined || (node === undefined && python === undefined)) return []
    const cells = [node, python].map((rival) => versus(contest, ours, rival))
    return [[`${title}, ${unit}`, `**${figure(ours.median)}** (${ours.name})`, ...cells]]
  })
  return grid(['', 'best of ours', 'best of Node', 'best of Python'], rows)
}

function versus(
  { better }: ContestResult,
  ours: ContenderResult,
  rival: ContenderResult | undefined,
): string {
  if (rival === undefined) return ''
  const ratio = ratioOf(ours.values, rival.values, better)
  return `${figure(rival.median)} (${rival.name}); ours is ${times(ratio)}`
}

function best({ contenders, better }: ContestResult, kind: Kind): ContenderResult | undefined {
  const sign = better === 'more' ? -1 : 1
  return contenders
    .filter((one) => one.kind === kind && one.median !== null)
    .toSorted((a, b) => sign * (a.median! - b.median!))[0]
}

function goals(contests: readonly ContestResult[]): string {
  const rows = contests.flatMap(({ goals, unit }) =>
    goals.map((goal) => [
      goal.text,
      inUnit(goal, goal.wanted, unit),
      inUnit(goal, goal.shown, unit),
      goal.isMet === null ? 'not measured' : goal.isMet ? 'yes' : '**no**',
    ]),
  )
  return grid(['goal', 'wanted', 'shown', 'met'], rows)
}

function inUnit({ isLimit }: GoalResult, value: number | null, unit: string): string {
  return isLimit ? `${figure(value)} ${unit}` : times(value)
}

/** A chart stands before the first of the contests that it draws. */
function section(contest: ContestResult, charts: readonly Chart[]): string {
  const { title, unit, contenders, better } = contest
  const rows = contenders.map((one, i) =>
    one.failure === undefined
      ? [
          one.name,
          ...[one.median, one.lowest, one.highest].map(figure),
          i === 0 ? '' : times(one.ratio),
        ]
      : [one.name, one.failure, '', '', ''],
  )
  return [
    ...charts.filter(({ contests }) => contests[0] === fullName(contest)).map(image('')),
    `### ${title}`,
    `\`${fullName(contest)}\`, in ${unit}; ${better} is better.`,
    grid(['', 'median', 'lowest', 'highest', 'the first is'], rows),
  ].join('\n\n')
}

/** A table whose columns, but for the first, are aligned to the right. */
function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join(
    '\n',
  )
}
