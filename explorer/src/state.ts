/**
 * One state of an exploration: shared memory, the agents, and what the rest of the system is about to do.
 *
 * An agent's own state is not kept: it is whatever its program makes of its
 * history, the results of all it has asked of the world so far. So a state can
 * be copied, compared and gone on from without stopping any code half-way.
 *
 * @module
 */

/** What an agent can ask of the world. */
export const OP = {
  load: 0,
  store: 1,
  add: 2,
  sub: 3,
  and: 4,
  or: 5,
  exchange: 6,
  compareExchange: 7,
  /** Sleeps on a word. */
  park: 8,
  /** Wakes those who sleep on a word. */
  wake: 9,
  /** Takes the liveness byte of a dead agent's slot. */
  claim: 10,
  unclaim: 11,
  /** Starts the agent's native waiter thread. */
  listen: 12,
} as const
export type Op = (typeof OP)[keyof typeof OP]

/** Something that an agent is about to do. */
export interface Request {
  readonly op: Op
  /** A word, or the slot of a claim. */
  readonly at: number
  readonly a: number
  readonly b: number
}

/**
 * What an agent does next.
 *
 * | status   | meaning                                                    |
 * | -------- | ---------------------------------------------------------- |
 * | ready    | its request can be carried out                             |
 * | sleeping | it is parked                                               |
 * | idle     | its thread is in its event loop and has nothing to do      |
 * | dead     | it was killed                                              |
 */
export type Status = 'ready' | 'sleeping' | 'idle' | 'dead'

/**
 * The native waiter thread of an agent, as `linux-waiter.c` has it.
 *
 * | phase  | next step                                               |
 * | ------ | ------------------------------------------------------- |
 * | look   | read the bell: fall asleep if it is as seen             |
 * | asleep | none, until woken                                       |
 * | check  | read the parked word                                    |
 * | disarm | clear the bit of the parked word, and post a callback   |
 */
export interface Listener {
  readonly phase: 'look' | 'asleep' | 'check' | 'disarm'
  readonly seen: number
  /** Callbacks that wait for the event loop. */
  readonly posted: number
}

export interface Timer {
  readonly id: number
  readonly due: number
}

export interface AgentState {
  status: Status
  /** Whether its program has come to its end; its event loop may go on. */
  done: boolean
  /** Results and events, in order. Never changed in place: states share it. */
  history: readonly number[]
  hash1: number
  hash2: number
  request: Request | undefined
  /** Whether its last step is one that others can see: a death after a step that is not is the same as before it. */
  visible: boolean
  /** When the sleep ends by itself. */
  deadline: number
  listener: Listener | undefined
  /** Timers of its event loop, by due time. */
  timers: readonly Timer[]
  /** How many of its abort signals can still be raised. */
  aborts: number
  /** Which agent has claimed its liveness byte, or -1. */
  claimedBy: number
}

export interface State {
  /** Shared memory, by dense index. */
  memory: Int32Array
  agents: AgentState[]
  /** Milliseconds. */
  clock: number
  /** Deaths that nobody was told of yet. */
  notices: number
  /** How many more agents may be killed, clock ticks come, and deadlines come early. */
  deaths: number
  ticks: number
  jumps: number
  /** Who made the last step: an agent's slot, `THREAD` plus the slot for its waiter thread, or -1. */
  current: number
  /** How often one that could go on may still be interrupted by another. */
  preemptions: number
}

export const THREAD = 64

/** Copies a state; histories and timers are shared, for they are never changed in place. */
export function cloneState(state: State): State {
  return {
    ...state,
    memory: state.memory.slice(),
    agents: state.agents.map((agent) => ({ ...agent })),
  }
}

/** Appends to an agent's history. */
export function record(agent: AgentState, history: number[], result: number): void {
  history.push(result)
  agent.hash1 = Math.imul(agent.hash1 ^ result, 0x9e3779b1) ^ (agent.hash1 >>> 15)
  agent.hash2 = Math.imul(agent.hash2 + result, 0x85ebca6b) ^ (agent.hash2 >>> 13)
}

/**
 * A number that two states share only if they are the same, but for 1 in 2⁵³.
 *
 * After Holzmann and Wolper and Leroy, "hash compaction": the states themselves are not kept.
 */
export function fingerprint(state: State): number {
  let hash1 = 0x811c9dc5
  let hash2 = 0x01000193
  const mix = (value: number): void => {
    hash1 = Math.imul(hash1 ^ value, 0x9e3779b1)
    hash1 ^= hash1 >>> 15
    hash2 = Math.imul(hash2 + value, 0x85ebca6b)
    hash2 ^= hash2 >>> 13
  }
  const { memory } = state
  // Zeros do not count: the number of words known grows while the exploration goes on.
  for (let i = 0; i < memory.length; i++) {
    if (memory[i] === 0) continue
    mix(i)
    mix(memory[i])
  }
  for (const agent of state.agents) {
    mix(agent.hash1)
    mix(agent.hash2)
    mix(STATUS[agent.status])
    mix(agent.visible ? 1 : 0)
    mix(agent.deadline === Infinity ? -1 : agent.deadline)
    mix(agent.aborts)
    mix(agent.claimedBy)
    const { listener } = agent
    if (listener === undefined) continue
    mix(PHASE[listener.phase])
    mix(listener.seen)
    mix(listener.posted)
  }
  mix(state.clock)
  mix(state.notices)
  mix(state.deaths)
  mix(state.ticks)
  mix(state.jumps)
  // Without a bound it makes no difference who went last.
  if (state.preemptions < UNBOUNDED) mix(state.current)
  return (hash1 >>> 0) * 0x200000 + (hash2 >>> 11)
}

/** More preemptions than a run can have. */
export const UNBOUNDED = 127

const STATUS = { ready: 1, sleeping: 2, idle: 3, dead: 4 } as const
const PHASE = { look: 1, asleep: 2, check: 3, disarm: 4 } as const
