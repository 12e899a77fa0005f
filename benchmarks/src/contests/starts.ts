/**
 * Ways to start a process, ours beside Node's and Python's.
 *
 * @module
 */
import {
  type Contender,
  type Contest,
  type Extent,
  type Goal,
  MILLISECONDS,
  type Unit,
  share,
} from '../contest.js'
import type { StartSpec } from '../programs/starts.js'

const MEMORY: Unit = { name: 'MiB', factor: 2 ** -20, better: 'less' }

const NAMES: Record<StartSpec['way'], string> = {
  forkserver: 'Process, forkserver',
  spawn: 'Process, spawn',
  thread: 'Process, thread',
  node: 'node empty.mjs',
  fork: 'child_process.fork',
  worker: 'new Worker',
  'python-forkserver': 'Python forkserver',
  'python-spawn': 'Python spawn',
  'python-fork': 'Python fork',
}
const WAYS = Object.keys(NAMES) as StartSpec['way'][]

/** All contests of starts. */
export function startContests(extent: Extent): Contest[] {
  const contest = (
    what: StartSpec['what'],
    title: string,
    unit: Unit,
    count: number,
    goals: readonly Goal[],
  ): Contest => ({
    group: 'starts',
    name: what,
    title,
    unit,
    form: 'smoke',
    isAlike: what === 'many',
    goals,
    contenders: WAYS.map((way) => contender({ way, what, count })),
  })
  const atOnce = { smoke: 3, quick: 20, full: 100 }[extent.form]
  return [
    contest('one', 'From the start of a process to its end', MILLISECONDS, share(extent, 15, 1), [
      // Against the floor a ratio below one is the best that there is.
      goal('spawn: at most 1.2 times bare node', NAMES.spawn, 1 / 1.2, 'node'),
      goal("forkserver: a quarter of Python's", NAMES.forkserver, 4, 'python-forkserver'),
      goal('forkserver: a tenth of child_process.fork', NAMES.forkserver, 10, 'fork'),
    ]),
    contest('many', `${atOnce} at once, until the last has ended`, MILLISECONDS, atOnce, []),
    contest('memory', 'Memory (PSS) of one that waits', MEMORY, share(extent, 8, 2), [
      goal('memory of a fork: a third of one that is spawned', NAMES.forkserver, 3, 'spawn'),
    ]),
  ]
}

function goal(text: string, of: string, times: number, beside: StartSpec['way']): Goal {
  return { text, of, times, beside: [NAMES[beside]] }
}

function contender(spec: StartSpec): Contender {
  const name = NAMES[spec.way]
  if (spec.way.startsWith('python'))
    return { name, kind: 'python', program: 'python/starts.py', spec }
  const program = 'programs/starts.js'
  if (spec.way === 'node') return { name, kind: 'floor', program, spec }
  const kind = spec.way === 'fork' || spec.way === 'worker' ? 'node' : 'ours'
  return { name, kind, program, spec }
}
