/**
 * What the tests of this workspace use.
 *
 * @module
 */
export { Bench, type CaseResult } from './kill/bench.js'
export type { KillCase } from './kill/case.js'
export { groups } from './kill/cases.js'
