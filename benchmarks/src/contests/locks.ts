/**
 * A free lock, ours beside Python's.
 *
 * @module
 */
import { type Contest, type Extent, type Unit, share } from '../contest.js'
import type { LockSpec } from '../programs/lock.js'

/** Of CPU: a machine that is busy distorts it less than the clock. */
const NANOSECONDS: Unit = { name: 'ns of CPU', factor: 1, better: 'less' }

const TITLES: Record<LockSpec['form'], string> = {
  block: 'A free lock held for a block (using, with lock:)',
  calls: 'A free lock by two calls (acquire, release)',
  bound: 'A free lock by two calls, Python with its methods looked up before',
}

/** All contests of locks. */
export function lockContests(extent: Extent): Contest[] {
  return (Object.keys(TITLES) as LockSpec['form'][]).map((form) => {
    const spec: LockSpec = { form, count: share(extent, 1_000_000) }
    return {
      group: 'locks',
      name: form,
      title: TITLES[form],
      unit: NANOSECONDS,
      form: 'smoke',
      goals:
        form === 'bound'
          ? []
          : [
              {
                text: `a free lock (${form}): twice as fast as Python's`,
                of: 'Lock',
                beside: ['Python Lock'],
                times: 2,
              },
            ],
      contenders: [
        { name: 'Lock', kind: 'ours', program: 'programs/lock.js', spec },
        { name: 'Python Lock', kind: 'python', program: 'python/locks.py', spec },
      ],
    }
  })
}
