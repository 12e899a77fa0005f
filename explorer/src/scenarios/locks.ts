/**
 * Locks: one holder at a time, nobody waits for ever, and a death is told to the next.
 *
 * @module
 */
import { session } from '@mp/shared-memory/internal'
import { type Guard, Lock, RLock } from '@mp/sync'
import { type Helper, type Link, type Scenario, link, open } from '../scenario.js'

const setUp = (): Link => link(new Lock())

function check(shared: Link, { helper }: { helper: Helper }): void {
  helper.expect(open(Lock, shared).tryAcquire() !== null, 'the lock is free at the end')
}

/** Is in the section for a moment; the lock is held. */
function visit(helper: Helper, guard: Guard | null): void {
  const predecessorDied = helper.enter(0)
  helper.expect(!predecessorDied || guard?.ownerDied === true, 'the next holder learns of a death')
  helper.leave(0)
  guard?.release()
}

const sync: Scenario<Link> = {
  name: 'lock-sync',
  agents: 2,
  setUp,
  check,
  program: (shared, helper) => {
    const lock = open(Lock, shared)
    return () => visit(helper, lock.acquireSync())
  },
}

const async: Scenario<Link> = {
  ...sync,
  name: 'lock-async',
  program: (shared, helper) => {
    const lock = open(Lock, shared)
    return async () => visit(helper, await lock.acquire())
  },
}

/** Blocks its event loop while another wait of it is pending: a wake must not be lost on the frozen loop. */
const mixed: Scenario<readonly [Link, Link]> = {
  name: 'lock-mixed',
  agents: 2,
  setUp: () => [setUp(), setUp()],
  check: (shared, ending) => shared.forEach((lock) => check(lock, ending)),
  program: (shared, helper) => {
    const [first, second] = shared.map((one) => open(Lock, one)) as [Lock, Lock]
    if (helper.me === 0) {
      return () => {
        first.acquireSync()?.release()
        second.acquireSync()?.release()
      }
    }
    return async () => {
      const pending = first.acquire()
      second.acquireSync()?.release()
      ;(await pending)?.release()
    }
  },
}

const again: Scenario<Link> = {
  ...sync,
  name: 'lock-again',
  ticks: 1,
  program: (shared, helper) => {
    const lock = open(Lock, shared)
    return () => {
      visit(helper, lock.acquireSync())
      if (helper.me === 0) visit(helper, lock.acquireSync())
    }
  },
}

const timeout: Scenario<Link> = {
  ...sync,
  name: 'lock-timeout',
  jumps: 1,
  usesTime: true,
  program: (shared, helper) => {
    const lock = open(Lock, shared)
    if (helper.me === 0) {
      return () => {
        const guard = lock.acquireSync({ timeout: 20 })
        if (guard !== null) visit(helper, guard)
      }
    }
    return () => visit(helper, lock.acquireSync())
  },
}

const timeoutAsync: Scenario<Link> = {
  ...timeout,
  name: 'lock-timeout-async',
  program: (shared, helper) => {
    const lock = open(Lock, shared)
    if (helper.me === 0) {
      return async () => {
        const guard = await lock.acquire({ timeout: 20 })
        if (guard !== null) visit(helper, guard)
      }
    }
    return () => visit(helper, lock.acquireSync())
  },
}

const abortable: Scenario<Link> = {
  ...sync,
  name: 'lock-abortable',
  program: (shared, helper) => {
    const lock = open(Lock, shared)
    const signal = helper.signal()
    return async () => {
      const guard = await lock.acquire({ signal }).catch(() => null)
      if (guard !== null) visit(helper, guard)
    }
  },
}

const abort: Scenario<Link> = {
  ...sync,
  name: 'lock-abort',
  program: (shared, helper) => (helper.me === 0 ? abortable : sync).program(shared, helper),
}

/** Agent 0 holds the lock from the start. */
const held: Scenario<Link> = {
  ...sync,
  name: 'lock-held-3',
  agents: 3,
  program: (shared, helper) => {
    const lock = open(Lock, shared)
    if (helper.me !== 0) return () => visit(helper, lock.acquireSync())
    const guard = lock.tryAcquire()
    helper.enter(0)
    return () => {
      helper.leave(0)
      guard?.release()
    }
  },
}

/** As `held`, and somebody has tried to take it in vain: whoever frees it looks for others, though nobody waits. */
const marked: Scenario<Link> = {
  ...held,
  name: 'lock-marked-4',
  agents: 4,
  program: (shared, helper) => {
    const program = held.program(shared, helper)
    if (helper.me !== 0) open(Lock, shared).tryAcquire()
    return program
  },
}

const heldAsync: Scenario<Link> = {
  ...held,
  name: 'lock-held-async-3',
  program: (shared, helper) => (helper.me === 0 ? held : async).program(shared, helper),
}

const RELEASES = 0

/** Agent 1 waits for the first lock in its event loop, blocks for the second, and gets it by agent 2 only. */
const frozen: Scenario<readonly [Link, Link]> = {
  ...mixed,
  name: 'lock-frozen-3',
  agents: 3,
  mortals: [],
  program: (shared, helper) => {
    const [first, second] = shared.map((one) => open(Lock, one)) as [Lock, Lock]
    if (helper.me === 0) {
      first.tryAcquire()
      second.tryAcquire()
      return () => {
        helper.expect(first.locked, 'agent 0 holds it')
        helper.count(RELEASES)
        first.release()
      }
    }
    if (helper.me === 1) {
      return async () => {
        const pending = first.acquire()
        // Else it may have the lock by now, and agent 2 would wait for it rightly.
        if (helper.counted(RELEASES) === 0) second.acquireSync()?.release()
        ;(await pending)?.release()
      }
    }
    return () => {
      first.acquireSync()?.release()
      second.release()
    }
  },
}

const reentrant: Scenario<Link> = {
  ...sync,
  name: 'rlock',
  setUp: () => link(new RLock()),
  check: (shared, { helper }) => {
    helper.expect(open(RLock, shared).tryAcquire() !== null, 'the lock is free at the end')
  },
  program: (shared, helper) => {
    const lock = open(RLock, shared)
    return () => {
      const outer = lock.acquireSync()
      const inner = lock.acquireSync()
      inner?.release()
      visit(helper, outer)
    }
  },
}

/** Agent 0 holds the lock and may die; agent 1 waits for nothing and only reaps; agent 2 waits. */
const orphan: Scenario<Link> = {
  ...held,
  name: 'lock-orphan-3',
  mortals: [0],
  program: (shared, helper) => {
    if (helper.me !== 1) return held.program(shared, helper)
    return () => session().reaper.reapAll()
  },
}

const orphanAsync: Scenario<Link> = {
  ...orphan,
  name: 'lock-orphan-async-3',
  program: (shared, helper) => (helper.me === 2 ? async : orphan).program(shared, helper),
}

/** Agent 2 waits in its event loop, and hears of the death when it tries another lock. */
const news: Scenario<readonly [Link, Link]> = {
  ...mixed,
  name: 'lock-news-3',
  agents: 3,
  mortals: [0],
  check: (shared, ending) => check(shared[0], ending),
  program: (shared, helper) => {
    const [first, second] = shared.map((one) => open(Lock, one)) as [Lock, Lock]
    if (helper.me === 0) {
      first.tryAcquire()
      return () => first.release()
    }
    if (helper.me === 1) {
      second.tryAcquire()
      return () => session().reaper.reapAll()
    }
    return async () => {
      const pending = first.acquire()
      second.tryAcquire()
      ;(await pending)?.release()
    }
  },
}

/** Agent 0 holds the lock from the start; agent 1 waits for a while, agent 2 for ever. */
const heldTimeout: Scenario<Link> = {
  ...held,
  name: 'lock-held-timeout-3',
  jumps: 1,
  usesTime: true,
  program: (shared, helper) => {
    if (helper.me !== 1) return held.program(shared, helper)
    const lock = open(Lock, shared)
    return () => {
      const guard = lock.acquireSync({ timeout: 20 })
      if (guard !== null) visit(helper, guard)
    }
  },
}

/** Both who are woken may leave instead: the third must be woken then. */
const leavers: Scenario<Link> = {
  ...heldAsync,
  name: 'lock-leavers-4',
  agents: 4,
  program: (shared, helper) => {
    const isLeaver = helper.me === 1 || helper.me === 2
    return (isLeaver ? abortable : heldAsync).program(shared, helper)
  },
}

const againAsync: Scenario<Link> = {
  ...again,
  name: 'lock-again-async',
  program: (shared, helper) => (helper.me === 0 ? again : async).program(shared, helper),
}

export const locks: readonly (Scenario<Link> | typeof mixed)[] = [
  sync,
  async,
  mixed,
  again,
  timeout,
  timeoutAsync,
  abort,
  reentrant,
  { ...sync, name: 'lock-sync-3', agents: 3 },
  { ...async, name: 'lock-async-3', agents: 3 },
  { ...abort, name: 'lock-abort-3', agents: 3 },
  { ...again, name: 'lock-again-3', agents: 3 },
  held,
  marked,
  heldAsync,
  { ...held, name: 'lock-gate-3', ticks: 1 },
  heldTimeout,
  orphan,
  orphanAsync,
  news,
  frozen,
  againAsync,
  leavers,
]
