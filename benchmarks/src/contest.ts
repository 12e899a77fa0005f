/**
 * What is compared with what: the words in which contests are written.
 *
 * @module
 */

/** How figures are read and printed. */
export interface Unit {
  readonly name: string
  /** From what a program prints to this unit. */
  readonly factor: number
  /** Whether more is better, or less. */
  readonly better: 'more' | 'less'
}

/** Whose work a contender is; `floor` is what nothing can be better than. */
export type Kind = 'ours' | 'node' | 'python' | 'floor'

export interface Contender {
  readonly name: string
  readonly kind: Kind
  /** A program of `programs/` or `pool/`, as it is compiled, or one of `python/`. It gets `spec` as JSON and prints one number. */
  readonly program: string
  readonly spec: object
  /** The package without which it cannot take part. What is in Python needs one anyway. */
  readonly needs?: string
}

/** What we want of a contest. Nothing fails when it is missed: the reports say so. */
export interface Goal {
  readonly text: string
  /** The contender that it is about. */
  readonly of: string
  /** It is to be so many times better than the best of `beside`… */
  readonly times?: number
  readonly beside?: readonly string[]
  /** …or, in the contest's unit, no worse than this. */
  readonly limit?: number
}

export interface Series {
  readonly name: string
  readonly title: string
  /** Of lines over what differs, or of bars beside each other. */
  readonly chart: 'lines' | 'bars'
  readonly at: string
}

/** How long a run is: `smoke` only shows that everything works, `full` is what is published. */
export type Form = 'smoke' | 'quick' | 'full'

/** The first contender is the one that all are compared with. */
export interface Contest {
  readonly group: string
  readonly name: string
  readonly title: string
  readonly unit: Unit
  readonly contenders: readonly Contender[]
  readonly goals: readonly Goal[]
  /** Of contests that differ in one thing, the thing and what it is here: they are drawn together. */
  readonly series?: Series
  /** Whether its programs do nothing that those of another contest do not: a smoke run then takes one of each kind. */
  readonly isAlike?: boolean
  /** The shortest form that it is part of: of those that differ in a size alone, a short run takes a few. */
  readonly form: Form
}

/** What contests are made for. */
export interface Extent {
  readonly form: Form
  /** How many workers a pool has. */
  readonly workers: number
}

const SHARES: Record<Form, number> = { smoke: 0.002, quick: 0.1, full: 1 }

/** The part of the usual number of messages or tasks. */
export function share({ form }: Extent, count: number, least = 5): number {
  return Math.max(least, Math.ceil(count * SHARES[form]))
}

export const MICROSECONDS: Unit = { name: 'µs', factor: 1, better: 'less' }
export const MILLISECONDS: Unit = { name: 'ms', factor: 1, better: 'less' }
export const FLOW: Unit = { name: 'MB/s', factor: 1e-6, better: 'more' }
