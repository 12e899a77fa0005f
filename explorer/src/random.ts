/**
 * Runs a scenario again and again in random order, where there are too many orders to see all.
 *
 * Whoever has the highest priority goes; priorities are random, and change at a
 * few random moments. A fault that needs d such changes is found by each run with
 * a probability of at least 1/(n·k^(d−1)), for n agents and k steps. After
 * Burckhardt, Kothari, Musuvathi and Nagarakatte, "A randomized scheduler with
 * probabilistic guarantees of finding bugs" (PCT). Deaths, aborts and the passing
 * of time come at random moments of their own.
 *
 * @module
 */
import { type Action, actionsOf, apply, actorOf } from './actions.js'
import type { Bundle, Globals } from './bundle.js'
import { Violation } from './host.js'
import { Runner } from './runner.js'
import type { Failure } from './search.js'
import { type State, UNBOUNDED } from './state.js'
import { World } from './world.js'

export interface RandomReport {
  readonly scenario: string
  readonly seed: number
  readonly runs: number
  readonly steps: number
  readonly failure?: Failure
}

export interface RandomLimits {
  readonly deaths: number
  readonly runs: number
  readonly seed: number
}

/** How often priorities change in a run. */
const CHANGES = 4
/** Kinds of actions that come at moments of their own. */
const SURPRISES: ReadonlySet<Action['kind']> = new Set(['kill', 'abort', 'tick', 'jump'])

/** Runs a scenario `runs` times; ends at the first failure. */
export function runRandomly(
  name: string,
  instantiate: (globals: Globals) => Bundle,
  limits: RandomLimits,
  world: World = new World(),
): RandomReport {
  const runner = new Runner(world, name, instantiate)
  const random = generator(limits.seed)
  let steps = 0
  let longest = 50
  for (let runs = 1; runs <= limits.runs; runs++) {
    const trace: Action[] = []
    const report = { scenario: name, seed: limits.seed, runs, steps }
    try {
      runOnce(runner, world, limits.deaths, random, longest, trace)
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      return { ...report, failure: { message: error.message, trace } }
    }
    steps += trace.length
    longest = Math.max(longest, trace.length)
  }
  return { scenario: name, seed: limits.seed, runs: limits.runs, steps }
}

function runOnce(
  runner: Runner,
  world: World,
  deaths: number,
  random: () => number,
  length: number,
  trace: Action[],
): void {
  let state: State = runner.begin({ deaths, preemptions: UNBOUNDED })
  const priorities = new Map<number, number>()
  const priorityOf = (action: Action): number => {
    const actor = actorOf(action)
    const known = priorities.get(actor)
    if (known !== undefined) return known
    priorities.set(actor, random() + 1)
    return priorityOf(action)
  }
  const moments = (count: number): Set<number> =>
    new Set(Array.from({ length: count }, () => Math.floor(random() * length)))
  const changes = moments(CHANGES)
  const surprises = moments(deaths + 3)
  for (let n = 0; ; n++) {
    const actions = actionsOf(state, runner)
    if (actions.length === 0) break
    const ordinary = actions.filter(({ kind }) => !SURPRISES.has(kind))
    const isSurprise = surprises.has(n) || ordinary.length === 0
    const sudden = actions.filter(({ kind }) => SURPRISES.has(kind))
    let action: Action | undefined
    if (isSurprise && sudden.length > 0) action = sudden[Math.floor(random() * sudden.length)]
    else {
      for (const one of ordinary) {
        if (action === undefined || priorityOf(one) > priorityOf(action)) action = one
      }
      if (action !== undefined && changes.has(n)) priorities.set(actorOf(action), random() - n)
    }
    if (action === undefined) break
    trace.push(action)
    state = apply(state, action, runner, world)
  }
  runner.finish(state)
}

/** Mulberry32: a small generator with a seed of 32 bits; by Tommy Ettinger. */
function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000
  }
}
