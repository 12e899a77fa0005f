import { UNBOUNDED, explore, loadBundle, plans } from 'mp-explorer'
import { expect, test } from 'vitest'

const make = await loadBundle()

test.each(plans)(
  '$scenario goes well in every order, with $deaths deaths and $preemptions interruptions',
  { timeout: 120_000 },
  ({ scenario, deaths, preemptions }) => {
    const report = explore(scenario, make, { deaths, preemptions, maxStates: 2_000_000 })
    expect(report.failure?.message).toBeUndefined()
    expect(report.complete).toBe(true)
    // A scenario in which nothing can happen would go well, too.
    expect(report.states).toBeGreaterThan(100)
    expect(report.ends).toBeGreaterThan(1)
  },
)

test('without a bound more states are seen than with one', () => {
  const limits = { deaths: 0, maxStates: 100_000 }
  const some = explore('lock-sync', make, { ...limits, preemptions: 1 })
  const all = explore('lock-sync', make, { ...limits, preemptions: UNBOUNDED })
  expect(all.states).toBeGreaterThan(2 * some.states)
})
