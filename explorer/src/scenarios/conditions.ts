/**
 * Conditions: no notification is lost, whoever dies.
 *
 * A producer makes an item for each of the others and notifies once for each;
 * every consumer takes one.
 *
 * @module
 */
import { Condition, Lock } from '@mp/sync'
import { type Helper, type Link, type Scenario, link, open } from '../scenario.js'

interface Shared {
  readonly lock: Link
  readonly condition: Link
}

const ITEMS = 0
const SECTION = 0

function setUp(): Shared {
  const lock = new Lock()
  return { lock: link(lock), condition: link(new Condition(lock)) }
}

function openCondition({ lock, condition }: Shared): Condition {
  return open(Condition, condition, open(Lock, lock))
}

function produce(condition: Condition, helper: Helper, items: number): void {
  const guard = condition.acquireSync()
  helper.enter(SECTION)
  for (let n = 0; n < items; n++) {
    helper.count(ITEMS)
    condition.notify()
  }
  helper.leave(SECTION)
  guard?.release()
}

function take(helper: Helper): void {
  helper.expect(helper.count(ITEMS, -1) > 0, 'an item was there')
}

const sync: Scenario<Shared> = {
  name: 'condition-sync',
  agents: 2,
  setUp,
  program: (shared, helper) => {
    const condition = openCondition(shared)
    if (helper.me === 0) return () => produce(condition, helper, 1)
    return () => {
      const guard = condition.acquireSync()
      helper.enter(SECTION)
      while (helper.counted(ITEMS) === 0) {
        helper.leave(SECTION)
        condition.waitSync()
        helper.enter(SECTION)
      }
      take(helper)
      helper.leave(SECTION)
      guard?.release()
    }
  },
  // The producer may die before it has made anything; never may an item lie there and nobody take it.
  mayWait: (_shared, { helper, killed }) => killed[0] === true && helper.counted(ITEMS) === 0,
}

const async: Scenario<Shared> = {
  ...sync,
  name: 'condition-async',
  program: (shared, helper) => {
    const condition = openCondition(shared)
    if (helper.me === 0) return () => produce(condition, helper, 1)
    return async () => {
      const guard = await condition.acquire()
      helper.enter(SECTION)
      while (helper.counted(ITEMS) === 0) {
        helper.leave(SECTION)
        await condition.wait()
        helper.enter(SECTION)
      }
      take(helper)
      helper.leave(SECTION)
      guard?.release()
    }
  },
}

/** Two consumers, an item each. */
const three: Scenario<Shared> = {
  ...sync,
  name: 'condition-sync-3',
  agents: 3,
  program: (shared, helper) => {
    if (helper.me !== 0) return sync.program(shared, helper)
    const condition = openCondition(shared)
    return () => produce(condition, helper, 2)
  },
}

/** A consumer whose time may be up just as it is notified: the other must get the notification then. */
const timeout: Scenario<Shared> = {
  ...sync,
  name: 'condition-timeout-3',
  agents: 3,
  mortals: [],
  jumps: 1,
  usesTime: true,
  program: (shared, helper) => {
    const condition = openCondition(shared)
    if (helper.me === 0) return () => produce(condition, helper, 1)
    if (helper.me === 1) return sync.program(shared, helper)
    return () => {
      const guard = condition.acquireSync()
      const isNotified = condition.waitSync({ timeout: 20 })
      // One that is told so has used up the notification, and passes it on.
      if (isNotified) condition.notify()
      guard?.release()
    }
  },
  // A notification may come before anybody waits; then the items say so to whoever comes later.
  mayWait: () => false,
}

/** One item for two consumers, one of whom may die: whoever lives must not wait while it lies there. */
const one: Scenario<Shared> = {
  ...sync,
  name: 'condition-one-3',
  agents: 3,
  mortals: [1],
  mayWait: (_shared, { helper }) => helper.counted(ITEMS) === 0,
}

const WAITS = 1

/** A notification lets one wait go, and no other after it. */
const once: Scenario<Shared> = {
  ...sync,
  name: 'condition-once',
  mortals: [],
  program: (shared, helper) => {
    const condition = openCondition(shared)
    return () => {
      const guard = condition.acquireSync()
      if (helper.me === 0) {
        if (helper.counted(WAITS) > 0) condition.notify()
        else helper.count(WAITS, -1)
      } else if (helper.count(WAITS) === 0) {
        helper.expect(condition.waitSync(), 'it was notified')
        helper.expect(!condition.waitSync({ timeout: 0 }), 'it was notified once')
      }
      guard?.release()
    }
  },
}

export const conditions: readonly Scenario<Shared>[] = [sync, async, three, timeout, one, once]
