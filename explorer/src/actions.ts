/**
 * What can happen next in a state, and what happens then.
 *
 * @module
 */
import { Violation } from './host.js'
import { EVENT, type Runner } from './runner.js'
import { type AgentState, OP, type State, THREAD, UNBOUNDED, cloneState } from './state.js'
import type { World } from './world.js'

/**
 * One thing that happens.
 *
 * | kind    | meaning                                                                      |
 * | ------- | ---------------------------------------------------------------------------- |
 * | step    | an agent's request is carried out                                            |
 * | timeout | an agent's sleep ends because its time is up                                  |
 * | bell    | an agent's event loop calls back for its waiter thread                       |
 * | timer   | an agent's event loop calls the first timer that is due                      |
 * | abort   | an agent's event loop aborts its next signal                                 |
 * | thread  | an agent's waiter thread makes a step                                        |
 * | kill    | an agent is killed                                                           |
 * | notice  | the death watch tells of a death                                             |
 * | tick    | 2 ms pass                                                                    |
 * | jump    | time passes until something is due                                           |
 */
export interface Action {
  readonly kind:
    | 'step'
    | 'timeout'
    | 'bell'
    | 'timer'
    | 'abort'
    | 'thread'
    | 'kill'
    | 'notice'
    | 'tick'
    | 'jump'
  /** The agent; -1 where there is none. */
  readonly slot: number
}

/** What can happen; empty at the end, and when nobody can go on. */
export function actionsOf(state: State, runner: Runner): Action[] {
  const { scenario } = runner
  const actions: Action[] = []
  const living = state.agents.filter((agent) => agent.status !== 'dead')
  if (living.every((agent) => agent.done)) return actions
  for (const [slot, agent] of state.agents.entries()) addOwn(actions, state, agent, slot)
  if (state.notices > 0) actions.push({ kind: 'notice', slot: -1 })
  const canGoOn = actions.length > 0
  keepToBound(actions, state)
  if (state.deaths > 0) {
    for (const [slot, agent] of state.agents.entries()) {
      const isMortal = scenario.mortals?.includes(slot) ?? true
      if (agent.status === 'dead' || agent.done || !agent.visible || !isMortal) continue
      actions.push({ kind: 'kill', slot })
    }
  }
  if (canGoOn && state.ticks > 0) actions.push({ kind: 'tick', slot: -1 })
  const due = nextDue(state)
  if (due !== Infinity && due > state.clock && (!canGoOn || state.jumps > 0)) {
    if (!canGoOn && scenario.usesTime !== true) {
      throw new Violation('nobody goes on until time is up, though there is something to do')
    }
    actions.push({ kind: 'jump', slot: -1 })
  }
  if (!canGoOn && due === Infinity && !runner.mayWait(state)) {
    const stuck = state.agents.flatMap((agent, slot) =>
      agent.status === 'dead' || agent.done ? [] : [slot],
    )
    throw new Violation(`nothing can happen any more, and these wait for ever: ${stuck.join()}`)
  }
  return actions
}

/** Leaves only the current agent's step where it may not be interrupted any more. */
function keepToBound(actions: Action[], state: State): void {
  if (state.preemptions > 0) return
  const own = actions.find((action) => actorOf(action) === state.current)
  if (own !== undefined) actions.splice(0, actions.length, own)
}

/** Whose action it is, as a number. */
export function actorOf({ kind, slot }: Action): number {
  return kind === 'thread' ? THREAD + slot : slot
}

function addOwn(actions: Action[], state: State, agent: AgentState, slot: number): void {
  if (agent.status === 'dead') return
  if (agent.status === 'ready') actions.push({ kind: 'step', slot })
  if (agent.status === 'sleeping' && agent.deadline <= state.clock) {
    actions.push({ kind: 'timeout', slot })
  }
  if (agent.status === 'idle' && !agent.done) {
    if ((agent.listener?.posted ?? 0) > 0) actions.push({ kind: 'bell', slot })
    if ((agent.timers[0]?.due ?? Infinity) <= state.clock) actions.push({ kind: 'timer', slot })
    if (agent.aborts > 0) actions.push({ kind: 'abort', slot })
  }
  const phase = agent.listener?.phase
  if (phase !== undefined && phase !== 'asleep' && !agent.done) {
    actions.push({ kind: 'thread', slot })
  }
}

function nextDue(state: State): number {
  let due = Infinity
  for (const agent of state.agents) {
    if (agent.status === 'sleeping') due = Math.min(due, agent.deadline)
    if (agent.status === 'idle' && !agent.done) {
      due = Math.min(due, agent.timers[0]?.due ?? Infinity)
    }
  }
  return due
}

/** The state after an action. */
export function apply(before: State, action: Action, runner: Runner, world: World): State {
  const state = cloneState(before)
  const { kind, slot } = action
  const agent = state.agents[slot]
  if (!FREE.has(kind)) {
    const isPreemption = actorOf(action) !== state.current && canGoOn(before)
    if (isPreemption && state.preemptions < UNBOUNDED) state.preemptions--
    state.current = actorOf(action)
  }
  switch (kind) {
    case 'step':
      step(state, slot, runner, world)
      break
    case 'timeout':
      wakeUp(state, slot, TIMED_OUT, runner)
      break
    case 'bell':
      if (agent?.listener !== undefined) {
        agent.listener = { ...agent.listener, posted: agent.listener.posted - 1 }
      }
      deliver(state, slot, EVENT.bell, runner)
      break
    case 'timer':
      deliver(state, slot, EVENT.TIMERS + (agent?.timers[0]?.id ?? 0), runner)
      break
    case 'abort':
      deliver(state, slot, EVENT.abort, runner)
      break
    case 'thread':
      world.stepListener(state, slot)
      break
    case 'kill':
      kill(state, slot)
      break
    case 'notice':
      world.announceDeath(state)
      break
    case 'tick':
      state.ticks--
      state.clock += 2
      break
    case 'jump': {
      // Free when nothing else can happen.
      const due = nextDue(state)
      if (actionsWithoutTime(state)) state.jumps--
      state.clock = due
      break
    }
  }
  for (const [i, one] of state.agents.entries()) {
    // Whoever was woken has to say what it does next.
    if (one.status === 'ready' && one.request === undefined) wakeUp(state, i, WOKEN, runner)
  }
  return state
}

/** What is no preemption of anybody. */
const FREE: ReadonlySet<Action['kind']> = new Set(['kill', 'tick', 'jump'])

/** Whether whoever made the last step could make the next. */
function canGoOn({ agents, current }: State): boolean {
  if (current < THREAD) return agents[current]?.status === 'ready'
  const phase = agents[current - THREAD]?.listener?.phase
  return phase !== undefined && phase !== 'asleep'
}

const WOKEN = 0
const CHANGED = 1
const TIMED_OUT = 2

function step(state: State, slot: number, runner: Runner, world: World): void {
  const agent = state.agents[slot]
  const { request } = agent
  if (request === undefined) throw new Error('A step without a request')
  agent.visible = request.op !== OP.load
  if (request.op === OP.park && world.read(state, request.at) === request.a) {
    agent.status = 'sleeping'
    agent.deadline = state.clock + request.b
    agent.request = undefined
    return
  }
  world.learning = true
  const result = request.op === OP.park ? CHANGED : world.execute(state, slot, request)
  runner.tell(state, slot, result)
  runner.advance(state, slot)
}

function wakeUp(state: State, slot: number, result: number, runner: Runner): void {
  const agent = state.agents[slot]
  agent.deadline = Infinity
  runner.tell(state, slot, result)
  runner.advance(state, slot)
}

function deliver(state: State, slot: number, event: number, runner: Runner): void {
  runner.tell(state, slot, event)
  runner.advance(state, slot)
}

function kill(state: State, slot: number): void {
  const agent = state.agents[slot]
  agent.status = 'dead'
  agent.request = undefined
  agent.listener = undefined
  agent.timers = []
  agent.deadline = Infinity
  agent.hash1 = agent.hash2 = 0
  state.deaths--
  state.notices++
}

function actionsWithoutTime(state: State): boolean {
  const actions: Action[] = []
  for (const [slot, agent] of state.agents.entries()) addOwn(actions, state, agent, slot)
  return actions.length > 0 || state.notices > 0
}
