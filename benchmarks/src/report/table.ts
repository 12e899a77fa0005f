/**
 * Shows results in a terminal.
 *
 * @module
 */
import type { ContestResult } from '../results.js'
import { fullName } from '../contests/index.js'
import { figure, times } from './figure.js'

const NAME_WIDTH = 42
const FIGURE_WIDTH = 12

/** A title, and a line for each contender: median, lowest and highest, how many times better the first is. */
export function table(contest: ContestResult): string {
  const row = (name: string, cells: readonly string[]): string =>
    name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(FIGURE_WIDTH)).join('')
  const lines = contest.contenders.map(({ name, median, lowest, highest, ratio, failure }, i) =>
    failure === undefined
      ? row(name, [...[median, lowest, highest].map(figure), i === 0 ? '' : times(ratio)])
      : `${name.padEnd(NAME_WIDTH)}${failure}`,
  )
  const head = row('', [contest.unit, 'lowest', 'highest', 'first is'])
  return [`${contest.title} [${fullName(contest)}]`, head, ...lines].join('\n')
}
