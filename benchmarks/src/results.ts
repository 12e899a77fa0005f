/**
 * What a run has shown: the one form of all results, in memory and as JSON.
 *
 * @module
 */
import type { Contest, Form, Goal, Kind, Series, Unit } from './contest.js'
import type { Missing } from './missing.js'
import { median } from './programs/spec.js'
import type { Figures } from './rounds.js'
import type { Machine } from './surroundings.js'

/** Which form of the results this is; a reader of another refuses them. */
export const SCHEMA = 1

export interface Results {
  readonly schema: typeof SCHEMA
  readonly command: string
  readonly form: Form
  readonly rounds: number
  /** Of pools. */
  readonly workers: number
  readonly date: string
  readonly seconds: number
  readonly commit: string
  readonly machine: Machine
  /** Of the machine, before and after. */
  readonly load: readonly [number, number]
  readonly versions: Readonly<Record<string, string>>
  readonly skipped: readonly Missing[]
  readonly contests: readonly ContestResult[]
}

export interface ContestResult {
  readonly group: string
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly better: Unit['better']
  readonly series?: Series
  readonly contenders: readonly ContenderResult[]
  readonly goals: readonly GoalResult[]
}

export interface ContenderResult {
  readonly name: string
  readonly kind: Kind
  /** In the contest's unit, one a round. Empty after a failure, which then is why. */
  readonly values: readonly number[]
  readonly median: number | null
  readonly lowest: number | null
  readonly highest: number | null
  /** How many times better the first contender is: the median of the ratios of each round. */
  readonly ratio: number | null
  readonly failure?: string
}

export interface GoalResult {
  readonly text: string
  /** In the contest's unit with `isLimit`, else how many times better it is to be. */
  readonly wanted: number
  readonly isLimit: boolean
  /** Null when somebody who is needed was not there. */
  readonly shown: number | null
  readonly isMet: boolean | null
}

/** Makes the result of a contest of what its contenders have shown. */
export function judge(contest: Contest, all: readonly Figures[]): ContestResult {
  const { group, name, title, unit, series, goals } = contest
  return {
    group,
    name,
    title,
    unit: unit.name,
    better: unit.better,
    ...(series === undefined ? {} : { series }),
    contenders: all.map((figures) => summarize(figures, all[0], unit)),
    goals: goals.map((goal) => judgeGoal(goal, all, unit)),
  }
}

function summarize(
  { contender, values, failure }: Figures,
  first: Figures,
  unit: Unit,
): ContenderResult {
  const { name, kind } = contender
  if (failure !== undefined)
    return {
      name,
      kind,
      values: [],
      median: null,
      lowest: null,
      highest: null,
      ratio: null,
      failure,
    }
  return {
    name,
    kind,
    values: values.map(rounded),
    median: rounded(median(values)),
    lowest: rounded(Math.min(...values)),
    highest: rounded(Math.max(...values)),
    ratio: first.failure === undefined ? rounded(ratioOf(first.values, values, unit.better)) : null,
  }
}

function judgeGoal(goal: Goal, all: readonly Figures[], unit: Unit): GoalResult {
  const { text, of, limit, times = 1, beside = [] } = goal
  const isLimit = limit !== undefined
  const wanted = rounded(isLimit ? limit : times)
  const here = all.filter(({ failure }) => failure === undefined)
  const ours = here.find(({ contender }) => contender.name === of)
  const rivals = here.filter(({ contender }) => beside.includes(contender.name))
  if (ours === undefined || (!isLimit && rivals.length === 0))
    return { text, wanted, isLimit, shown: null, isMet: null }
  const shown = isLimit
    ? median(ours.values)
    : median(
        ours.values.map((value, i) =>
          Math.min(...rivals.map((rival) => better(value, rival.values[i], unit.better))),
        ),
      )
  const isMet = isLimit && unit.better === 'less' ? shown <= limit : shown >= (limit ?? times)
  return { text, wanted, isLimit, shown: rounded(shown), isMet }
}

/** How many times better one is than another: the median of the ratios of each round. */
export function ratioOf(
  ones: readonly number[],
  others: readonly number[],
  which: Unit['better'],
): number {
  return median(ones.map((one, i) => better(one, others[i], which)))
}

function better(one: number, other: number, which: Unit['better']): number {
  return which === 'more' ? one / other : other / one
}

/** To five digits: what is beyond is noise, and would only make files differ. */
function rounded(value: number): number {
  return Number(value.toPrecision(5))
}
