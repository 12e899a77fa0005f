import { World, explore, formatTrace, loadBundle, mutations, parseTrace, tell } from 'mp-explorer'
import { expect, test } from 'vitest'

test('a failing schedule is told step by step, and fails again', async () => {
  const mutation = mutations.find(({ name }) => name === 'the sleeper does not say that it sleeps')
  const { edits = [], scenario = '' } = mutation ?? {}
  const make = await loadBundle(edits)
  const bounds = { deaths: 0, preemptions: 3 }
  const world = new World()
  const { failure } = explore(scenario, make, { ...bounds, maxStates: 100_000 }, world)
  const trace = parseTrace(formatTrace(failure?.trace ?? []))
  const lines = tell(scenario, make, bounds, trace, world)
  expect(lines.length).toBe(trace.length + 1)
  expect(lines.at(-1)).toContain(failure?.message)
  expect(lines.join('\n')).toMatch(/agent 1 .*park\(bell\[1\]/)
})

test('a mutation that changes nothing is refused', async () => {
  const edit = { file: 'sync/dist/lock-core.js', find: 'no such code', replace: '' }
  await expect(loadBundle([edit])).rejects.toThrow('has 0 times')
})
