/**
 * What is compared of pools.
 *
 * @module
 */
import type { Contender, Contest, Unit } from '../contests.js'
import type { PoolName, PoolSpec } from './spec.js'

const TASKS: Unit = { name: 'tasks/s', factor: 1, better: 'more' }
const ITEMS: Unit = { name: 'items/s', factor: 1, better: 'more' }
const TIME: Unit = { name: 'µs', factor: 1, better: 'less' }
const MILLIS: Unit = { name: 'ms', factor: 1, better: 'less' }
const FLOW: Unit = { name: 'MB/s', factor: 1e-6, better: 'more' }

const OURS: PoolName[] = ['ours', 'ours-thread']
// poolifier's cluster pool (5.3.2) starts its workers and never answers on Node 20.20, so it is not here.
const NODE: PoolName[] = [
  'piscina',
  'tinypool',
  'tinypool-process',
  'workerpool',
  'workerpool-process',
  'poolifier',
]
const PYTHON: PoolName[] = ['python', 'python-executor']
const ALL = [...OURS, ...NODE, ...PYTHON]

/** All contests; `share` is the part of the usual number of tasks that they run. */
export function poolContests(share: number, workers: number): Contest[] {
  const contest = (
    what: PoolSpec['what'],
    title: string,
    unit: Unit,
    count: number,
    pools: PoolName[],
  ): Contest => ({
    name: what,
    title,
    unit,
    contenders: pools.map((pool): Contender => ({
      name: pool,
      program: pool.startsWith('python') ? 'python-pool' : 'pool',
      spec: { pool, what, count: Math.max(1, Math.round(count * share)), workers },
    })),
  })
  return [
    contest('burst', 'Tasks that do nothing, all given at once', TASKS, 50_000, ALL),
    contest('round-trip', 'One task after the other', TIME, 5000, ALL),
    contest('map', 'map of numbers', ITEMS, 1_000_000, [...OURS, ...PYTHON]),
    contest('imap', 'imap of numbers, one a chunk', ITEMS, 100_000, [...OURS, 'python']),
    contest('large', 'A megabyte there and back', FLOW, 200, ALL),
    contest('cold', 'From nothing to the first result', MILLIS, 1, ALL),
  ]
}
