/**
 * Looks at every state that a scenario can reach, depth first, each once.
 *
 * @module
 */
import { type Action, actionsOf, apply } from './actions.js'
import type { Bundle, Globals } from './bundle.js'
import { Violation } from './host.js'
import { type Bounds, Runner } from './runner.js'
import { Seen } from './seen.js'
import { type State, fingerprint } from './state.js'
import { World } from './world.js'

export interface Report {
  readonly scenario: string
  readonly deaths: number
  readonly states: number
  readonly steps: number
  /** How many distinct ends were reached. */
  readonly ends: number
  /** Whether all states were seen; false when `maxStates` ended it. */
  readonly complete: boolean
  readonly failure?: Failure
}

export interface Failure {
  readonly message: string
  readonly trace: readonly Action[]
}

export interface Limits extends Bounds {
  readonly maxStates: number
}

interface Level {
  readonly state: State
  readonly actions: readonly Action[]
  next: number
}

/**
 * Explores a scenario exhaustively within its bounds.
 *
 * @param world learns which words are shared; a trace can be told by the same world only.
 */
export function explore(
  name: string,
  instantiate: (globals: Globals) => Bundle,
  limits: Limits,
  world: World = new World(),
): Report {
  for (;;) {
    const runner = new Runner(world, name, instantiate)
    world.hasLearned = false
    const report = searchOnce(runner, world, name, limits)
    // A word has turned out to be shared after it was used at once: begin again, knowing it.
    if (!world.hasLearned) return report
  }
}

function searchOnce(runner: Runner, world: World, name: string, limits: Limits): Report {
  const seen = new Seen()
  let steps = 0
  let ends = 0
  const stack: Level[] = []
  const report = (complete: boolean, failure?: Failure): Report => ({
    scenario: name,
    deaths: limits.deaths,
    states: seen.size,
    steps,
    ends,
    complete,
    ...(failure && { failure }),
  })
  const enter = (state: State): void => {
    const actions = actionsOf(state, runner)
    if (actions.length === 0) {
      ends++
      runner.finish(state)
      return
    }
    stack.push({ state, actions, next: 0 })
  }
  let last: Action | undefined
  try {
    const first = runner.begin(limits)
    seen.add(fingerprint(first), first.preemptions)
    enter(first)
    for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
      last = level.actions[level.next++]
      if (last === undefined) {
        stack.pop()
        continue
      }
      steps++
      const state = apply(level.state, last, runner, world)
      if (!seen.add(fingerprint(state), state.preemptions)) continue
      if (seen.size > limits.maxStates) return report(false)
      enter(state)
      if (world.hasLearned && seen.size < EARLY) return report(false)
    }
    return report(true)
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    const trace = stack.map(({ actions, next }) => actions[next - 1])
    return report(false, { message: error.message, trace })
  }
}

/** So early it is cheaper to begin again at once than to learn more. */
const EARLY = 20_000
