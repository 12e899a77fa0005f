/**
 * Draws results as SVG, with Vega-Lite: it needs neither a browser nor a canvas.
 *
 * @module
 */
import { View, parse, resetSVGDefIds } from 'vega'
import { type TopLevelSpec, compile } from 'vega-lite'
import type { Kind } from '../contest.js'
import { fullName } from '../contests/index.js'
import type { ContestResult, Results } from '../results.js'
import { figure } from './figure.js'

export interface Chart {
  readonly file: string
  readonly title: string
  /** The contests that are drawn, by their full names. */
  readonly contests: readonly string[]
  /** Whether the front page shows it. */
  readonly isHeadline: boolean
  readonly svg: string
}

/** The files that the front page shows. */
const HEADLINES = new Set([
  'messages-one-way-integer.svg',
  'messages-stream.svg',
  'pools-burst.svg',
  'starts-one.svg',
])

const COLOURS: Record<Kind, string> = {
  ours: '#2563c9',
  node: '#5b9a68',
  python: '#d9a21b',
  floor: '#9aa0a6',
}
const KINDS: Record<Kind, string> = {
  ours: 'ours',
  node: 'Node and its packages',
  python: 'Python',
  floor: 'floor',
}
/** Where contenders of a kind have to be told apart. */
const SHADES: Record<Kind, readonly string[]> = {
  ours: ['#0b2f6b', '#2563c9', '#7aa7ef', '#7d3fb5', '#c08be8'],
  node: ['#2f7d43', '#8cc79a'],
  python: ['#b5530b', '#d9a21b', '#8a6d3b'],
  floor: [COLOURS.floor],
}
const INK = '#24292f'
const WIDTH = 480

/** One chart for each contest, and one for each series of contests. */
export async function drawAll(results: Results): Promise<Chart[]> {
  const together = new Map<string, ContestResult[]>()
  for (const contest of results.contests) {
    const key = `${contest.group}-${contest.series?.name ?? contest.name}`
    together.set(key, [...(together.get(key) ?? []), contest])
  }
  const charts: Chart[] = []
  for (const [key, contests] of together) {
    const { series, title } = contests[0]
    const file = `${key}.svg`
    charts.push({
      file,
      title: series?.title ?? title,
      contests: contests.map(fullName),
      isHeadline: HEADLINES.has(file),
      svg: await render(specOf(contests, results)),
    })
  }
  return charts
}

async function render(spec: TopLevelSpec): Promise<string> {
  // Names of gradients and clips go on from chart to chart, else: the same figures are to give the same file.
  resetSVGDefIds()
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return `${svg}\n`
}

function specOf(contests: readonly ContestResult[], results: Results): TopLevelSpec {
  switch (contests[0].series?.chart) {
    case 'lines':
      return lines(contests, results)
    case 'bars':
      return besides(contests, results)
    default:
      return bars(contests[0], results)
  }
}

/** A bar for each contender, as long as its median, a line from its lowest to its highest, and the figure. */
function bars(contest: ContestResult, results: Results): TopLevelSpec {
  const values = contest.contenders
    .filter(({ median }) => median !== null)
    .map((one) => ({ ...one, who: KINDS[one.kind], label: figure(one.median) }))
  const y = { field: 'name', type: 'nominal', sort: null, axis: { title: null } } as const
  return {
    ...frame(contest, results),
    data: { values },
    width: WIDTH,
    height: { step: 22 },
    layer: [
      {
        mark: { type: 'bar', height: 14 },
        encoding: {
          y,
          x: { field: 'median', type: 'quantitative', axis: axis(contest) },
          color: colourOf(values.map(({ kind }) => kind)),
        },
      },
      {
        mark: { type: 'rule', color: INK, strokeWidth: 1 },
        encoding: { y, x: { field: 'lowest', type: 'quantitative' }, x2: { field: 'highest' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 5, fontSize: 11, color: INK },
        encoding: {
          y,
          x: { field: 'highest', type: 'quantitative' },
          text: { field: 'label', type: 'nominal' },
        },
      },
    ],
  }
}

/** A line for each contender over what differs between the contests. */
function lines(contests: readonly ContestResult[], results: Results): TopLevelSpec {
  const values = rowsOf(contests)
  const x = {
    field: 'at',
    type: 'ordinal',
    sort: null,
    axis: { title: null, labelAngle: 0 },
  } as const
  const color = {
    field: 'name',
    type: 'nominal',
    sort: null,
    scale: shadesOf(values),
    legend: { title: null, symbolType: 'stroke' },
  } as const
  const y = {
    field: 'median',
    type: 'quantitative',
    scale: { type: 'log' },
    axis: { ...axis(contests[0]), values: powersOfTen(values) },
  } as const
  return {
    ...frame(contests[0], results),
    data: { values },
    width: WIDTH,
    height: 320,
    layer: [
      {
        mark: { type: 'line', strokeWidth: 2 },
        encoding: {
          x,
          y,
          color,
          strokeDash: {
            field: 'isOurs',
            type: 'nominal',
            scale: {
              domain: [true, false],
              range: [
                [1, 0],
                [5, 3],
              ],
            },
            legend: null,
          },
        },
      },
      {
        mark: { type: 'rule', strokeWidth: 1 },
        encoding: {
          x,
          y: { ...y, field: 'lowest' },
          y2: { field: 'highest' },
          color,
        },
      },
      { mark: { type: 'point', filled: true, size: 36 }, encoding: { x, y, color } },
    ],
  }
}

/** A colour for each contender, of the shades of its kind. */
function shadesOf(rows: readonly Row[]): { domain: string[]; range: string[] } {
  const kinds = new Map(rows.map(({ name, kind }) => [name, kind]))
  const order = Object.keys(KINDS) as Kind[]
  const domain = [...kinds.keys()].sort(
    (a, b) => order.indexOf(kinds.get(a)!) - order.indexOf(kinds.get(b)!),
  )
  const used = new Map<Kind, number>()
  const range = domain.map((name) => {
    const kind = kinds.get(name)!
    const i = used.get(kind) ?? 0
    used.set(kind, i + 1)
    return SHADES[kind][i % SHADES[kind].length]
  })
  return { domain, range }
}

function powersOfTen(rows: readonly Row[]): number[] {
  const from = Math.floor(Math.log10(Math.min(...rows.map(({ lowest }) => lowest))))
  const to = Math.ceil(Math.log10(Math.max(...rows.map(({ highest }) => highest))))
  return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i))
}

/** Bars beside each other for each contest. */
function besides(contests: readonly ContestResult[], results: Results): TopLevelSpec {
  const values = rowsOf(contests)
  const x = {
    field: 'at',
    type: 'ordinal',
    sort: null,
    axis: { title: 'producers × consumers', labelAngle: 0 },
  } as const
  const xOffset = { field: 'name', type: 'nominal', sort: null } as const
  return {
    ...frame(contests[0], results),
    data: { values },
    width: { step: 17 },
    height: 260,
    layer: [
      {
        mark: { type: 'bar' },
        encoding: {
          x,
          xOffset,
          y: { field: 'median', type: 'quantitative', axis: axis(contests[0]) },
          color: colourOf(values.map(({ kind }) => kind)),
        },
      },
      {
        mark: { type: 'rule', color: INK, strokeWidth: 1 },
        encoding: {
          x,
          xOffset,
          y: { field: 'lowest', type: 'quantitative' },
          y2: { field: 'highest' },
        },
      },
    ],
  }
}

interface Row {
  readonly at: string
  readonly name: string
  readonly kind: Kind
  readonly who: string
  readonly isOurs: boolean
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

function rowsOf(contests: readonly ContestResult[]): Row[] {
  return contests.flatMap(({ contenders, series }) =>
    contenders
      .filter(({ median }) => median !== null)
      .map(({ name, kind, median, lowest, highest }) => ({
        at: series?.at ?? '',
        name,
        kind,
        who: KINDS[kind],
        isOurs: kind === 'ours',
        median: median!,
        lowest: lowest!,
        highest: highest!,
      })),
  )
}

/** What all charts have: title, what is measured where, and a look that is readable on light and on dark pages. */
function frame(
  contest: ContestResult,
  results: Results,
): Omit<TopLevelSpec, 'data' | 'layer'> & object {
  const { machine, versions, rounds, commit } = results
  const node = versions['Node'] ?? ''
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background: '#ffffff',
    padding: 12,
    title: {
      text: contest.series?.title ?? contest.title,
      subtitle: [
        `${contest.unit}; ${contest.better} is better`,
        `medians of ${rounds}, thin lines from lowest to highest`,
        `${machine.cpu}, ${machine.cores} cores, Node ${node}, commit ${commit}`,
      ],
      anchor: 'start',
      frame: 'group',
      fontSize: 15,
      subtitleFontSize: 11,
      subtitleColor: '#57606a',
      color: INK,
      offset: 12,
    },
    config: {
      font: 'system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif',
      view: { stroke: null },
      axis: {
        gridColor: '#e6e8eb',
        domainColor: '#9aa0a6',
        tickColor: '#9aa0a6',
        labelColor: INK,
        labelLimit: 300,
      },
      legend: { labelColor: INK, labelLimit: 240 },
    },
  }
}

function axis({ unit }: ContestResult): { title: string; labelExpr: string; tickCount: number } {
  return { title: unit, labelExpr: "datum.value ? format(datum.value, '~s') : '0'", tickCount: 6 }
}

function colourOf(kinds: readonly Kind[]): object {
  const here = (Object.keys(KINDS) as Kind[]).filter((kind) => kinds.includes(kind))
  return {
    field: 'who',
    type: 'nominal',
    scale: {
      domain: here.map((kind) => KINDS[kind]),
      range: here.map((kind) => COLOURS[kind]),
    },
    legend: here.length < 2 ? null : { title: null, orient: 'bottom' },
  }
}
