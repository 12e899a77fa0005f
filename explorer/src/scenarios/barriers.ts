/**
 * Barriers: all pass or all fail, in a round and in the next.
 *
 * @module
 */
import { Barrier, BrokenBarrierError } from '@mp/sync'
import { type Helper, type Link, type Scenario, link, open } from '../scenario.js'

const CAME = 0
const PASSED = 1

async function meet(barrier: Barrier, helper: Helper, parties: number): Promise<void> {
  helper.count(CAME)
  try {
    await barrier.wait()
  } catch (error) {
    helper.expect(error instanceof BrokenBarrierError, 'a barrier fails by being broken')
    return
  }
  helper.expect(helper.counted(CAME) === parties, 'nobody passes before all have come')
  helper.count(PASSED)
}

function meetSync(barrier: Barrier, helper: Helper, parties: number, round = 0): void {
  helper.count(CAME + 2 * round)
  try {
    barrier.waitSync()
  } catch (error) {
    helper.expect(error instanceof BrokenBarrierError, 'a barrier fails by being broken')
    return
  }
  helper.expect(helper.counted(CAME + 2 * round) >= parties, 'nobody passes before all have come')
  helper.count(PASSED + 2 * round)
}

const sync: Scenario<Link> = {
  name: 'barrier-sync',
  agents: 2,
  setUp: () => link(new Barrier(2)),
  program: (shared, helper) => {
    const barrier = open(Barrier, shared)
    return () => meetSync(barrier, helper, 2)
  },
  check: (_shared, { helper, killed }) => {
    if (killed.includes(true)) return
    helper.expect(helper.counted(PASSED) === 2, 'all pass when nobody dies')
  },
}

const async: Scenario<Link> = {
  ...sync,
  name: 'barrier-async',
  program: (shared, helper) => {
    const barrier = open(Barrier, shared)
    return () => meet(barrier, helper, 2)
  },
}

/** Two rounds: whoever is slow to leave the first must learn how that one ended. */
const twice: Scenario<Link> = {
  ...sync,
  name: 'barrier-twice',
  program: (shared, helper) => {
    const barrier = open(Barrier, shared)
    return () => {
      meetSync(barrier, helper, 2)
      meetSync(barrier, helper, 2, 1)
    }
  },
}

const timeout: Scenario<Link> = {
  ...sync,
  name: 'barrier-timeout',
  jumps: 1,
  usesTime: true,
  program: (shared, helper) => {
    const barrier = open(Barrier, shared)
    return () => {
      try {
        barrier.waitSync(helper.me === 0 ? { timeout: 20 } : undefined)
        helper.count(PASSED)
      } catch (error) {
        helper.expect(error instanceof BrokenBarrierError, 'a barrier fails by being broken')
      }
    }
  },
  check: (_shared, { helper, killed }) => {
    const passed = helper.counted(PASSED)
    if (killed.includes(true)) return
    helper.expect(passed === 0 || passed === 2, `all pass or none does (${passed} of 2)`)
  },
}

/** Agent 2 never comes, but could: only the death of agent 0, which has come, ends the wait of agent 1. */
const partyDies: Scenario<Link> = {
  ...sync,
  name: 'barrier-party-dies-3',
  agents: 3,
  mortals: [0],
  setUp: () => link(new Barrier(3)),
  program: (shared, helper) => {
    const barrier = open(Barrier, shared)
    return () => {
      if (helper.me !== 2) meetSync(barrier, helper, 3)
    }
  },
  check: (_shared, { helper }) => {
    helper.expect(helper.counted(PASSED) === 0, 'nobody passes alone')
  },
  mayWait: (shared, { killed }) => killed[0] !== true || open(Barrier, shared).waiting < 2,
}

export const barriers: readonly Scenario<Link>[] = [
  sync,
  async,
  twice,
  timeout,
  partyDies,
  {
    ...sync,
    name: 'barrier-sync-3',
    agents: 3,
    setUp: () => link(new Barrier(3)),
    program: (shared, helper) => {
      const barrier = open(Barrier, shared)
      return () => meetSync(barrier, helper, 3)
    },
    check: () => {},
  },
]
