/**
 * All contests.
 *
 * @module
 */
import type { Contest, Extent, Form, Kind } from '../contest.js'
import { functionContests } from './functions.js'
import { lockContests } from './locks.js'
import { messageContests } from './messages.js'
import { poolContests } from './pools.js'
import { startContests } from './starts.js'

const LENGTH: Record<Form, number> = { smoke: 0, quick: 1, full: 2 }

/** The contests of a run, in the order in which they are run and shown. */
export function allContests(extent: Extent): Contest[] {
  const contests = [
    ...messageContests(extent),
    ...poolContests(extent),
    ...startContests(extent),
    ...lockContests(extent),
    ...functionContests(extent),
  ].filter(({ form }) => LENGTH[form] <= LENGTH[extent.form])
  return extent.form === 'smoke' ? thinned(contests) : contests
}

/** Leaves of contests that are alike the first contender of each kind, and whoever has not been in another. */
function thinned(contests: readonly Contest[]): Contest[] {
  const seen = new Set<string>()
  return contests.map((contest) => {
    const kinds = new Set<Kind>()
    const contenders = contest.contenders.filter(({ name, kind }) => {
      const isKept = contest.isAlike !== true || !seen.has(name) || !kinds.has(kind)
      seen.add(name)
      kinds.add(kind)
      return isKept
    })
    return { ...contest, contenders }
  })
}

/** What a contest is called: `group/name`. */
export function fullName({ group, name }: Pick<Contest, 'group' | 'name'>): string {
  return `${group}/${name}`
}
