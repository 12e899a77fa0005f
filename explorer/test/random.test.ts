import { loadBundle, runRandomly } from 'mp-explorer'
import { describe, expect, test } from 'vitest'

const make = await loadBundle()
const seed = Number(process.env['SEED'] ?? Date.now() % 0x7fffffff)
console.log(`SEED=${seed}`)

/** Too many orders to see all of them: three agents or more, and two deaths. */
const scenarios = [
  'lock-async-3',
  'lock-again-3',
  'lock-abort-3',
  'lock-leavers-4',
  'lock-frozen-3',
  'lock-orphan-async-3',
  'semaphore-sync-3',
  'semaphore-held-timeout-3',
  'semaphore-signal-3',
  'event-async-3',
  'condition-sync-3',
  'condition-one-3',
  'condition-timeout-3',
  'barrier-sync-3',
  'rwlock-sync-3',
]

/** Longer than the others. */
const holding = [
  'claims-join-3',
  'claims-leave-3',
  'claims-drop-3',
  'claims-pages',
  'lease-takers-3',
  'lease-outlived-3',
  'loan-refused',
  'memory-wait-two-3',
]

describe.each([0, 1, 2])('with %i deaths', (deaths) => {
  test.each([
    ...scenarios.map((scenario) => ({ scenario, runs: 300 })),
    ...holding.map((scenario) => ({ scenario, runs: 60 })),
  ])(`$scenario goes well in random order (seed ${seed})`, ({ scenario, runs }) => {
    const report = runRandomly(scenario, make, { deaths, runs, seed })
    expect(report.failure?.message).toBeUndefined()
    expect(report.steps).toBeGreaterThan(1000)
  })
})
