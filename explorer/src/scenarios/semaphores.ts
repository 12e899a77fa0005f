/**
 * Semaphores: never more inside than permits, permits of the dead come back, signals arrive.
 *
 * @module
 */
import { Semaphore } from '@mp/sync'
import { type Helper, type Link, type Scenario, link, open } from '../scenario.js'

const PERMITS = 1

function visit(semaphore: Semaphore, helper: Helper): void {
  const guard = semaphore.acquireSync()
  helper.enter(0, PERMITS)
  helper.leave(0)
  guard?.release()
}

const sync: Scenario<Link> = {
  name: 'semaphore-sync',
  agents: 2,
  setUp: () => link(new Semaphore(PERMITS)),
  program: (shared, helper) => {
    const semaphore = open(Semaphore, shared)
    return () => visit(semaphore, helper)
  },
  check: (shared, { helper }) => {
    helper.expect(open(Semaphore, shared).value === PERMITS, 'every permit is there at the end')
  },
}

/** Both have acquired before, so neither adds up what there is. */
const signed: Scenario<Link> = {
  ...sync,
  name: 'semaphore-signed',
  program: (shared, helper) => {
    const semaphore = open(Semaphore, shared)
    semaphore.tryAcquire()?.release()
    return () => visit(semaphore, helper)
  },
}

const async: Scenario<Link> = {
  ...sync,
  name: 'semaphore-async',
  program: (shared, helper) => {
    const semaphore = open(Semaphore, shared)
    return async () => {
      const guard = await semaphore.acquire()
      helper.enter(0, PERMITS)
      helper.leave(0)
      guard?.release()
    }
  },
}

/** Agent 0 releases what it never acquired, one for each of the others. */
const signal: Scenario<Link> = {
  ...sync,
  name: 'semaphore-signal',
  agents: 2,
  mortals: [1],
  setUp: () => link(new Semaphore(0)),
  program: (shared, helper) => {
    const semaphore = open(Semaphore, shared)
    if (helper.me === 0) return () => semaphore.release()
    return () => void semaphore.acquireSync()
  },
  check: (shared, { helper, killed }) => {
    const { value } = open(Semaphore, shared)
    const dead = killed.filter(Boolean).length
    helper.expect(value >= 0 && value <= dead, `each signal was got once (value ${value})`)
  },
}

/** Agent 0 acquires, agent 1 releases for it: the permit moves. */
const handOver: Scenario<Link> = {
  ...sync,
  name: 'semaphore-hand-over',
  mortals: [],
  program: (shared) => {
    const semaphore = open(Semaphore, shared)
    return () => {
      semaphore.acquireSync()
      semaphore.release()
      semaphore.release()
      semaphore.acquireSync()
    }
  },
}

const timeout: Scenario<Link> = {
  ...sync,
  name: 'semaphore-timeout',
  jumps: 1,
  usesTime: true,
  program: (shared, helper) => {
    const semaphore = open(Semaphore, shared)
    return () => {
      const guard = semaphore.acquireSync(helper.me === 0 ? { timeout: 20 } : undefined)
      if (guard === null) return
      helper.enter(0, PERMITS)
      helper.leave(0)
      guard.release()
    }
  },
}

const abort: Scenario<Link> = {
  ...sync,
  name: 'semaphore-abort',
  program: (shared, helper) => {
    const semaphore = open(Semaphore, shared)
    const options = helper.me === 0 ? { signal: helper.signal() } : undefined
    return async () => {
      const guard = await semaphore.acquire(options).catch(() => null)
      if (guard === null) return
      helper.enter(0, PERMITS)
      helper.leave(0)
      guard.release()
    }
  },
}

/** Agent 0 has the permit from the start; agent 1 waits for a while, agent 2 for ever. */
const heldTimeout: Scenario<Link> = {
  ...timeout,
  name: 'semaphore-held-timeout-3',
  agents: 3,
  program: (shared, helper) => {
    const semaphore = open(Semaphore, shared)
    if (helper.me === 0) {
      semaphore.tryAcquire()
      return () => semaphore.release()
    }
    return () => {
      const guard = semaphore.acquireSync(helper.me === 1 ? { timeout: 20 } : undefined)
      if (guard === null) return
      helper.enter(0, PERMITS)
      helper.leave(0)
      guard.release()
    }
  },
}

/** One signal, two who wait for it: one at most gets it, be it that the other dies. */
const signalOnce: Scenario<Link> = {
  ...signal,
  name: 'semaphore-signal-once-3',
  agents: 3,
  mayWait: (shared) => open(Semaphore, shared).value === 0,
  check: (shared, { helper }) => {
    helper.expect(open(Semaphore, shared).value >= 0, 'no signal is got twice')
  },
}

export const semaphores: readonly Scenario<Link>[] = [
  sync,
  signed,
  async,
  signal,
  handOver,
  timeout,
  abort,
  heldTimeout,
  signalOnce,
  { ...sync, name: 'semaphore-sync-3', agents: 3 },
  { ...timeout, name: 'semaphore-timeout-3', agents: 3 },
  { ...signal, name: 'semaphore-signal-3', agents: 3, mortals: [1, 2], program: signalTwice() },
]

function signalTwice(): Scenario<Link>['program'] {
  return (shared, helper) => {
    const semaphore = open(Semaphore, shared)
    if (helper.me === 0) return () => semaphore.release(2)
    return () => void semaphore.acquireSync()
  }
}
