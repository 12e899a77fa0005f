/**
 * Our pool beside other pools.
 *
 * @module
 */
import {
  type Contender,
  type Contest,
  type Extent,
  FLOW,
  type Goal,
  MICROSECONDS,
  MILLISECONDS,
  type Unit,
  share,
} from '../contest.js'
import type { PoolName, PoolSpec } from '../pool/spec.js'

const TASKS: Unit = { name: 'tasks/s', factor: 1, better: 'more' }
const ITEMS: Unit = { name: 'items/s', factor: 1, better: 'more' }
const SPEED_UP: Unit = { name: 'times alone', factor: 1, better: 'more' }
const MEMORY: Unit = { name: 'MiB', factor: 2 ** -20, better: 'less' }

const OURS: PoolName[] = ['ours', 'ours-thread']
const OURS_BY_START: PoolName[] = ['ours', 'ours-forkserver', 'ours-thread']
const NODE: PoolName[] = [
  'piscina',
  'tinypool',
  'tinypool-process',
  'workerpool',
  'workerpool-process',
  'poolifier',
  'poolifier-process',
]
const PYTHON: PoolName[] = ['python', 'python-executor']
const RIVALS = [...NODE, ...PYTHON]
const OTHER_PROCESSES = RIVALS.filter((name) => /process|python/.test(name))

const TITLES: Record<PoolName, string> = {
  ours: 'Pool',
  'ours-forkserver': 'Pool, forkserver',
  'ours-thread': 'Pool, thread',
  piscina: 'piscina',
  tinypool: 'tinypool',
  'tinypool-process': 'tinypool, child_process',
  workerpool: 'workerpool, thread',
  'workerpool-process': 'workerpool, process',
  poolifier: 'poolifier, thread',
  'poolifier-process': 'poolifier, cluster',
  python: 'Python Pool',
  'python-executor': 'Python ProcessPoolExecutor',
}

/** All contests of pools. */
export function poolContests(extent: Extent): Contest[] {
  const contest = (
    what: PoolSpec['what'],
    title: string,
    unit: Unit,
    count: number,
    pools: readonly PoolName[],
    goals: readonly Goal[] = [],
  ): Contest => ({
    group: 'pools',
    name: what,
    title,
    unit,
    form: 'smoke',
    isAlike: what !== 'burst' && what !== 'inline',
    goals,
    contenders: pools.map((pool) => {
      // A rate does not need as many of those who are slow; fewer that wait make none of them slower.
      const isRate = what === 'burst' || what === 'inline'
      const most = isRate && !pool.startsWith('ours') ? count / 5 : count
      return contender(pool, what, share(extent, most, 1), extent.workers)
    }),
  })
  const all = [...OURS, ...RIVALS]
  const allByStart = [...OURS_BY_START, ...RIVALS]
  return [
    contest('burst', 'Tasks that do nothing, all given at once', TASKS, 50_000, all, [
      better('no-op tasks: 5 times the best pool of Node', 5, NODE),
      better('no-op tasks: 6 times Python', 6, PYTHON),
    ]),
    contest('inline', 'Tasks with a function of their own, all given at once', TASKS, 50_000, [
      ...OURS,
      'workerpool',
      'workerpool-process',
    ]),
    // A fifth comes first and is not counted: the engine compiles what a trip takes, on both sides.
    contest('round-trip', 'One task after the other, once warm', MICROSECONDS, 30_000, all, [
      better('round trip of a task: half of the best', 2, RIVALS),
    ]),
    contest('first-trips', 'The first 2,000 tasks, one after the other', MICROSECONDS, 2_000, all),
    contest(
      'map',
      'map of numbers',
      ITEMS,
      1_000_000,
      [...OURS, ...PYTHON],
      [better('map of a million: as fast as Python', 1, PYTHON)],
    ),
    contest(
      'imap',
      'imap of numbers, one a chunk',
      ITEMS,
      100_000,
      [...OURS, 'python'],
      [better('imap: 3 times Python', 3, ['python'])],
    ),
    contest('large', 'A megabyte there and back', FLOW, 200, all),
    contest('cold', 'From nothing to the first result', MILLISECONDS, 1, allByStart, [
      {
        ...better('first result with forkserver: before all other processes', 1, OTHER_PROCESSES),
        of: TITLES['ours-forkserver'],
      },
    ]),
    contest('speed-up', 'Computation on all cores, beside one', SPEED_UP, 40, all, [
      {
        text: 'computation: 0.95 times the number of cores as fast as one',
        of: TITLES.ours,
        limit: 0.95 * extent.workers,
      },
    ]),
    contest('memory', 'Memory (PSS) that a worker adds', MEMORY, 16, allByStart),
  ]
}

function better(text: string, times: number, beside: readonly PoolName[]): Goal {
  return { text, of: TITLES.ours, times, beside: beside.map((name) => TITLES[name]) }
}

function contender(
  pool: PoolName,
  what: PoolSpec['what'],
  count: number,
  workers: number,
): Contender {
  const name = TITLES[pool]
  const spec: PoolSpec = { pool, what, count, workers }
  if (pool.startsWith('ours')) return { name, kind: 'ours', program: 'pool/measure.js', spec }
  if (pool.startsWith('python')) return { name, kind: 'python', program: 'python/pools.py', spec }
  const needs = pool.split('-')[0]
  return { name, kind: 'node', program: 'pool/measure.js', spec, needs }
}
