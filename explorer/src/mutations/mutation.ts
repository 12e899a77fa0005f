/**
 * Single steps taken out of the protocols, or put in another order: the explorer has to notice each.
 *
 * A mutation that survives means that the explorer is blind there, or that the step is not needed.
 *
 * @module
 */
import type { Edit } from '../bundle.js'

export interface Mutation {
  readonly protocol: string
  /** What is no longer done. */
  readonly name: string
  readonly edits: readonly Edit[]
  readonly scenario: string
  readonly deaths: number
  readonly preemptions: number
}

type Row = readonly [
  name: string,
  file: string,
  find: string,
  replace: string,
  scenario: string,
  deaths?: number,
  preemptions?: number,
]

/** Makes the mutations of a protocol. */
export function of(protocol: string, rows: readonly Row[]): Mutation[] {
  return rows.map(
    ([name, file, find, replace, scenario, deaths = 0, preemptions = 3]): Mutation => ({
      protocol,
      name,
      edits: [{ file, find, replace }],
      scenario,
      deaths,
      preemptions,
    }),
  )
}
