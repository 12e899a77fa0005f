/**
 * All scenarios, and what the explorer needs of the code beside them. This is the bundle's entry.
 *
 * @module
 */
import type { Scenario } from '../scenario.js'
import { barriers } from './barriers.js'
import { bookkeeping } from './books.js'
import { claims } from './claims.js'
import { conditions } from './conditions.js'
import { events } from './events.js'
import { leases } from './leases.js'
import { locks } from './locks.js'
import { memory } from './memory.js'
import { pipes } from './pipes.js'
import { rings } from './rings.js'
import { rwLocks } from './rw-locks.js'
import { semaphores } from './semaphores.js'

export { join, layOut, session } from '../session.js'
export { waitSets } from '../wait-sets.js'

export const scenarios: readonly Scenario[] = [
  ...locks,
  ...semaphores,
  ...events,
  ...conditions,
  ...barriers,
  ...rwLocks,
  ...rings,
  ...pipes,
  ...claims,
  ...leases,
  ...memory,
  ...bookkeeping,
] as readonly unknown[] as readonly Scenario[]
