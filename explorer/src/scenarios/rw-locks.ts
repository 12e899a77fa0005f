/**
 * Read-write locks: a writer is alone, readers are not, and a dead one keeps nobody out.
 *
 * @module
 */
import { RWLock } from '@mp/sync'
import { type Helper, type Link, type Scenario, link, open } from '../scenario.js'

const WRITERS = 0
const READERS = 1
const MANY = 8

function write(lock: RWLock, helper: Helper): void {
  const guard = lock.write.acquireSync()
  const predecessorDied = helper.enter(WRITERS)
  helper.expect(!helper.isInside(READERS), 'nobody reads while somebody writes')
  helper.expect(
    !predecessorDied || guard?.ownerDied === true || helper.counted(TOLD) > 0,
    'whoever comes next learns that a writer died',
  )
  helper.leave(WRITERS)
  guard?.release()
}

function read(lock: RWLock, helper: Helper): void {
  const guard = lock.read.acquireSync()
  helper.enter(READERS, MANY)
  if (guard?.ownerDied === true) helper.count(TOLD)
  helper.expect(!helper.isInside(WRITERS), 'nobody writes while somebody reads')
  helper.leave(READERS)
  guard?.release()
}

const TOLD = 0

const mixed: Scenario<Link> = {
  name: 'rwlock-sync',
  agents: 2,
  setUp: () => link(new RWLock()),
  program: (shared, helper) => {
    const lock = open(RWLock, shared)
    return () => (helper.me === 0 ? write : read)(lock, helper)
  },
  check: (shared, { helper }) => {
    helper.expect(open(RWLock, shared).write.tryAcquire() !== null, 'the lock is free at the end')
  },
}

export const rwLocks: readonly Scenario<Link>[] = [
  mixed,
  {
    ...mixed,
    name: 'rwlock-writers',
    program: (shared, helper) => {
      const lock = open(RWLock, shared)
      return () => write(lock, helper)
    },
  },
  {
    ...mixed,
    name: 'rwlock-async',
    program: (shared, helper) => {
      const lock = open(RWLock, shared)
      if (helper.me === 0) return () => write(lock, helper)
      return async () => {
        const guard = await lock.read.acquire()
        helper.enter(READERS, MANY)
        if (guard?.ownerDied === true) helper.count(TOLD)
        helper.expect(!helper.isInside(WRITERS), 'nobody writes while somebody reads')
        helper.leave(READERS)
        guard?.release()
      }
    },
  },
  {
    ...mixed,
    name: 'rwlock-sync-3',
    agents: 3,
  },
]
