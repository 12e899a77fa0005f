/**
 * Tells a failing run step by step, and runs it again.
 *
 * @module
 */
import { type Action, actionsOf, apply } from './actions.js'
import { Violation } from './host.js'
import { type Bounds, Runner } from './runner.js'
import { OP, type State } from './state.js'
import type { World } from './world.js'
import type { Bundle, Globals } from './bundle.js'

const LETTERS = {
  step: 's',
  timeout: 'o',
  bell: 'b',
  timer: 't',
  abort: 'a',
  thread: 'h',
  kill: 'k',
  notice: 'n',
  tick: 'p',
  jump: 'j',
} as const

/** Writes a trace as a word for each action, such as `s0 s1 k0 n`. */
export function formatTrace(trace: readonly Action[]): string {
  return trace.map(({ kind, slot }) => LETTERS[kind] + (slot < 0 ? '' : slot)).join(' ')
}

/** Reads what `formatTrace` wrote. */
export function parseTrace(text: string): Action[] {
  return text.split(/\s+/).map((word) => {
    const kind = Object.entries(LETTERS).find(([, letter]) => letter === word[0])?.[0]
    const slot = word.length > 1 ? Number(word.slice(1)) : -1
    if (kind === undefined || !Number.isInteger(slot))
      throw new Error(`No action is called ${word}`)
    return { kind: kind as Action['kind'], slot }
  })
}

/**
 * Runs a trace again; gives a line for each action, the last of which says how it ended.
 *
 * @param world the one that the trace was found with.
 */
export function tell(
  name: string,
  instantiate: (globals: Globals) => Bundle,
  bounds: Bounds,
  trace: readonly Action[],
  world: World,
): string[] {
  const lines: string[] = []
  try {
    const runner = new Runner(world, name, instantiate)
    let state = runner.begin(bounds)
    for (const action of trace) {
      const isPossible = actionsOf(state, runner).some(
        ({ kind, slot }) => kind === action.kind && slot === action.slot,
      )
      if (!isPossible) return [...lines, `cannot happen here: ${formatTrace([action])}`]
      const next = apply(state, action, runner, world)
      lines.push(line(state, next, action, world, runner))
      state = next
    }
    if (actionsOf(state, runner).length === 0) runner.finish(state)
    return [...lines, 'goes on']
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return [...lines, `VIOLATION: ${error.message}`]
  }
}

function line(before: State, after: State, action: Action, world: World, runner: Runner): string {
  const { kind, slot } = action
  const who = slot < 0 ? '      ' : `agent ${slot}`.padEnd(8)
  const request = before.agents[slot]?.request
  if (kind !== 'step' || request === undefined) {
    const listener = kind === 'thread' ? ` ${before.agents[slot]?.listener?.phase}` : ''
    return `${who} ${kind}${listener}`
  }
  const name = Object.entries(OP).find(([, op]) => op === request.op)?.[0] ?? '?'
  const where = world.describe(request.at, runner.names)
  const isCas = request.op === OP.compareExchange
  const args =
    request.op === OP.load ? '' : isCas ? `, ${request.a}, ${request.b}` : `, ${request.a}`
  const result = after.agents[slot]?.history[before.agents[slot]?.history.length ?? 0]
  return `${who} ${name}(${where}${args}) → ${after.agents[slot]?.status === 'sleeping' ? 'sleeps' : result}`
}
