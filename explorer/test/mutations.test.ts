import { explore, loadBundle, mutations } from 'mp-explorer'
import { expect, test } from 'vitest'

test.each(mutations)(
  '$protocol: it is noticed when $name',
  { timeout: 60_000 },
  async ({ edits, scenario, deaths, preemptions }) => {
    const make = await loadBundle(edits)
    const report = explore(scenario, make, { deaths, preemptions, maxStates: 400_000 })
    expect(report.failure?.message).toMatch(/./)
  },
)

test('each protocol has at least five mutations', () => {
  const counts = new Map<string, number>()
  for (const { protocol } of mutations) counts.set(protocol, (counts.get(protocol) ?? 0) + 1)
  expect([...counts].filter(([, count]) => count < 5)).toEqual([])
})
