/**
 * Prints what a contest has shown.
 *
 * @module
 */
import type { Contest } from './contests.js'
import { median } from './programs/spec.js'
import type { Figures } from './rounds.js'

const NAME_WIDTH = 26
const FIGURE_WIDTH = 12

/** A title, and a line for each contender: median, lowest and highest, how many times better the first is. */
export function table(contest: Contest, all: readonly Figures[]): string {
  const { unit, title } = contest
  const head = [unit.name, 'lowest', 'highest', 'first is'].map((text) =>
    text.padStart(FIGURE_WIDTH),
  )
  const lines = all.map(({ name, values, ratio }, i) =>
    [
      name.padEnd(NAME_WIDTH),
      ...[median(values), Math.min(...values), Math.max(...values)].map((value) =>
        figure(value).padStart(FIGURE_WIDTH),
      ),
      (i === 0 ? '' : `${ratio.toFixed(ratio < 10 ? 2 : 1)}×`).padStart(FIGURE_WIDTH),
    ].join(''),
  )
  return [`${title} [${contest.name}]`, ''.padEnd(NAME_WIDTH) + head.join(''), ...lines].join('\n')
}

/** With three digits at least, and thousands apart. */
function figure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}
