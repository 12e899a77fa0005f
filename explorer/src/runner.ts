/**
 * Runs an agent's code up to its next request, by running it again from its start.
 *
 * JavaScript cannot be stopped in the middle of a function. But an agent is
 * deterministic: with its history as answers its code comes to the same point
 * again, and there the next request is refused by an exception that nothing
 * survives. So every state can be gone on from, in any order.
 *
 * @module
 */
import { AT, HEADER, SLOT, slotWord } from '@mp/shared-memory/internal'
import { NoRegistry, StrongRef, makeAtomics, makeUint8Array } from './builtins.js'
import type { Bundle, Globals } from './bundle.js'
import { indexed } from './data.js'
import { makeHelper } from './ghosts.js'
import { type Host, Violation } from './host.js'
import { Jobs, makePromise } from './promise.js'
import type { Ending, Helper, Scenario } from './scenario.js'
import {
  type AgentState,
  OP,
  type Op,
  type State,
  type Timer,
  cloneState,
  record,
} from './state.js'
import { FakeSignal } from './signal.js'
import { DATA_AT, GHOSTS_AT, type World } from './world.js'

/** What an agent's event loop may be told; everything else is a timer's id plus `TIMERS`. */
export const EVENT = { bell: 1, abort: 2, TIMERS: 16 } as const

/** Thrown through an agent's code at its next request. */
const STOP = new Error('stopped at its next request')

/** How far to go. */
export interface Bounds {
  /** How many agents may be killed. */
  readonly deaths: number
  /** How often an agent that could go on may be interrupted; `UNBOUNDED` for any number. */
  readonly preemptions: number
}

export class Runner {
  readonly #world: World
  readonly #scenario: Scenario
  readonly #bundle: Bundle
  readonly #host: Host
  readonly #jobs: Jobs = new Jobs()
  #shared: unknown
  /** Names of objects, by the first word of their body. */
  readonly names: Map<number, string> = new Map()

  #state!: State
  #slot = 0
  #agent!: AgentState
  #history: number[] = []
  #next = 0
  #stopped = false
  /** Whether requests are carried out as they come: while objects are made, opened and looked at. */
  #quiet = false
  /** Whether what is read now may tell at which step somebody died. */
  #looksAtDeath = false
  #onBell: (() => void) | undefined
  #timers: { id: number; due: number; callback: () => void }[] = []
  #timerCount = 0
  #aborters: (() => void)[] = []

  constructor(world: World, name: string, instantiate: (globals: Globals) => Bundle) {
    this.#world = world
    this.#host = this.#makeHost()
    this.#bundle = instantiate(this.#makeGlobals())
    const scenario = this.#bundle.scenarios.find((one) => one.name === name)
    if (scenario === undefined) throw new Error(`There is no scenario ${JSON.stringify(name)}`)
    this.#scenario = scenario
  }

  get scenario(): Scenario {
    return this.#scenario
  }

  /** The state in which every agent has opened its objects and is about to begin. */
  begin(bounds: Bounds): State {
    const { agents, ticks = 0, jumps = 0 } = this.#scenario
    const state: State = {
      memory: new Int32Array(128),
      agents: Array.from({ length: agents }, newAgent),
      clock: 1000,
      notices: 0,
      deaths: bounds.deaths,
      ticks,
      jumps,
      current: -1,
      preemptions: bounds.preemptions,
    }
    this.#enter(state, 0, newAgent(), true)
    this.#bundle.layOut(0, agents)
    this.#bundle.join(0)
    this.#shared = this.#scenario.setUp()
    this.#nameObjects()
    for (let slot = 0; slot < agents; slot++) this.advance(state, slot)
    return state
  }

  /** Runs an agent up to its next request, or until its event loop has nothing to do. */
  advance(state: State, slot: number): void {
    const agent = state.agents[slot]
    this.#enter(state, slot, agent, false)
    agent.request = undefined
    let ended = false
    let failure: unknown
    try {
      this.#quiet = true
      this.#bundle.join(slot)
      const program = this.#scenario.program(this.#shared, this.#helper(slot))
      this.#quiet = false
      const result = program()
      if (result === undefined) ended = true
      else {
        result.then(
          () => (ended = true),
          (error: unknown) => (failure = error),
        )
      }
    } catch (error) {
      failure = error
    }
    this.#runLoop()
    agent.history = this.#history
    agent.timers = this.#timers
      .map(({ id, due }): Timer => ({ id, due }))
      .sort((a, b) => a.due - b.due || a.id - b.id)
    agent.aborts = this.#aborters.length
    agent.done = ended
    if (this.#stopped) agent.status = 'ready'
    else {
      if (failure !== undefined) throw asViolation(failure)
      agent.status = 'idle'
      // How it came to its end makes no difference any more.
      if (ended) agent.hash1 = agent.hash2 = 0
    }
  }

  /** Appends an event or a result to an agent's history. */
  tell(state: State, slot: number, result: number): void {
    const agent = state.agents[slot]
    const history = [...agent.history]
    record(agent, history, result)
    agent.history = history
  }

  /** Reaps the dead and lets the scenario look at the end, on a copy of the state. */
  finish(final: State): void {
    // Then the objects have ended as well.
    if (final.agents.every(({ status }) => status === 'dead')) return
    this.#judge(() => {
      const { state, ending } = this.#lookAt(final)
      this.#scenario.check?.(this.#shared, ending)
      this.#checkNobodyWaits(state)
    })
  }

  /** Whether the scenario says that those who still wait do so rightly. */
  mayWait(final: State): boolean {
    const { mayWait } = this.#scenario
    if (mayWait === undefined) return false
    return this.#judge(() => mayWait(this.#shared, this.#lookAt(final).ending))
  }

  /** What the code under test throws at the end is its fault, too. */
  #judge<T>(look: () => T): T {
    try {
      return look()
    } catch (error) {
      throw asViolation(error)
    }
  }

  /** Joins an agent of our own to a copy of the state, and reaps the dead by it. */
  #lookAt(final: State): { state: State; ending: Ending } {
    const { agents } = this.#scenario
    const state = cloneState(final)
    this.#enter(state, agents, newAgent(), true)
    this.#looksAtDeath = state.agents.some(({ status }) => status === 'dead')
    this.#bundle.layOut(agents, agents + 1)
    this.#bundle.join(agents).reaper.reapAll()
    const killed = state.agents.map((agent) => agent.status === 'dead')
    return { state, ending: { helper: this.#helper(agents), killed } }
  }

  /** Wait sets and liveness must not keep traces of anybody. */
  #checkNobodyWaits(state: State): void {
    const { agents } = this.#scenario
    let bits = 0
    for (const [slot, agent] of state.agents.entries()) {
      if (agent.done || agent.status === 'dead') bits |= 1 << slot
    }
    this.#bundle.session().directory.forEach((entry, type) => {
      const { sets, count } = this.#bundle.waitSets(entry)
      for (let i = 0; i < count; i++) {
        const left = this.#world.read(state, sets + i * 8) & bits
        if (left !== 0) throw new Violation(`wait set ${i} of type ${type} still has ${left}`)
      }
    })
    const short = this.#world.read(state, HEADER.memory) & bits
    if (short !== 0) throw new Violation(`${short} still look short of memory`)
    for (let slot = 0; slot < agents; slot++) {
      const parked = this.#world.read(state, slotWord(slot) + SLOT.parked)
      if ((bits & (1 << slot)) !== 0 && (parked & 1) !== 0)
        throw new Violation(`agent ${slot} still looks asleep`)
    }
  }

  #enter(state: State, slot: number, agent: AgentState, quiet: boolean): void {
    this.#state = state
    this.#slot = slot
    this.#agent = agent
    this.#history = [...agent.history]
    this.#next = 0
    this.#stopped = false
    this.#quiet = quiet
    this.#looksAtDeath = false
    this.#onBell = undefined
    this.#timers = []
    this.#timerCount = 0
    this.#aborters = []
    this.#jobs.clear()
  }

  /** Runs jobs, then the events that the history tells of, until it tells of no more. */
  #runLoop(): void {
    const isStopped = (): boolean => this.#stopped
    this.#jobs.drain(isStopped)
    while (!this.#stopped && this.#next < this.#history.length) {
      const event = this.#history[this.#next++]
      if (event === EVENT.bell) this.#onBell?.()
      else if (event === EVENT.abort) this.#aborters.shift()?.()
      else {
        const at = this.#timers.findIndex(({ id }) => id === event - EVENT.TIMERS)
        const [timer] = this.#timers.splice(at, 1)
        if (timer !== undefined) swallowStop(timer.callback)
      }
      this.#jobs.drain(isStopped)
    }
  }

  #request(op: Op, at: number, a: number, b: number): number {
    if (this.#stopped) throw STOP
    if (this.#next < this.#history.length) return this.#history[this.#next++]
    const request = { op, at, a: a | 0, b: b | 0 }
    if (!this.#quiet && !this.#world.isPrivate(request)) {
      this.#agent.request = op === OP.park ? { ...request, b } : request
      this.#stopped = true
      throw STOP
    }
    if (op === OP.park) throw new Violation('somebody waits where nobody may')
    this.#world.learning = !this.#quiet || this.#looksAtDeath
    return this.#remember(this.#world.execute(this.#state, this.#slot, request))
  }

  #remember(result: number): number {
    record(this.#agent, this.#history, result)
    this.#next++
    return result
  }

  #atOnce(act: () => number): number {
    if (this.#stopped) throw STOP
    if (this.#next < this.#history.length) return this.#history[this.#next++]
    return this.#remember(act())
  }

  #helper(me: number): Helper {
    return makeHelper(me, {
      isAlive: (slot) => {
        const agent = this.#state.agents[slot]
        return agent !== undefined && agent.status !== 'dead'
      },
      atOnce: (act) => this.#atOnce(act),
      read: (ghost) => this.#world.read(this.#state, GHOSTS_AT + ghost),
      write: (ghost, value) => this.#world.write(this.#state, GHOSTS_AT + ghost, value),
      touch: (ghost) => void this.#request(OP.store, GHOSTS_AT + ghost, me, 0),
      abortable: (abort) => this.#aborters.push(() => swallowStop(abort)),
    })
  }

  #makeHost(): Host {
    const request = (op: Op, at: number, a = 0, b = 0): number => this.#request(op, at, a, b)
    const properties = {
      fill: (_value: number, from: number, to: number) => {
        this.#world.clear(this.#state, from, to)
      },
      // Plain reads: the code says why nobody changes what it looks for.
      subarray: (from: number, to: number) => ({
        indexOf: (value: number, start = 0) =>
          this.#atOnce(() => {
            const word = this.#world.indexOf(this.#state, value, from + start, to)
            return word < 0 ? -1 : word - from
          }),
      }),
    }
    const words = indexed(
      (at) => request(OP.load, at),
      (at, value) => void request(OP.store, at, value),
      properties,
    )
    return {
      words: words as Int32Array,
      session: undefined,
      data: {
        origin: DATA_AT,
        load: (at) => request(OP.load, DATA_AT + at),
        store: (at, value) => void request(OP.store, DATA_AT + at, value),
      },
      platform: {
        park: (word, expected, timeoutMs) => request(OP.park, word, expected, timeoutMs),
        // Looking for a moment before sleeping changes no order that sleeping at once does not have.
        spin: () => 0,
        wake: (word, mask) => void request(OP.wake, word, mask),
        now: () => this.#atOnce(() => this.#state.clock),
        claim: (slot) => request(OP.claim, slot) === 1,
        unclaim: (slot) => void request(OP.unclaim, slot),
        listen: (seen, callback) => {
          this.#onBell = () => swallowStop(callback)
          request(OP.listen, this.#slot, seen)
        },
      },
    }
  }

  #makeGlobals(): Globals {
    return {
      Atomics: makeAtomics((op, at, a, b) => this.#request(op, at, a, b)),
      Promise: makePromise(this.#jobs),
      AbortSignal: FakeSignal,
      setTimeout: (callback, delayMs) => {
        const id = this.#timerCount++
        const due = this.#atOnce(() => this.#state.clock) + delayMs
        this.#timers.push({ id, due, callback })
        return id + 1
      },
      clearTimeout: (id) => {
        this.#timers = this.#timers.filter((timer) => timer.id + 1 !== id)
      },
      queueMicrotask: (job) => this.#jobs.add(() => swallowStop(job)),
      Uint8Array: makeUint8Array(),
      FinalizationRegistry: NoRegistry,
      WeakRef: StrongRef,
      host: this.#host,
    }
  }

  #nameObjects(): void {
    this.#bundle.join(0).directory.forEach((_entry, type, base) => {
      this.names.set(base, `object${this.names.size}:${type}`)
    })
    this.names.set(AT.directory, 'directory')
    this.names.set(AT.graves, 'graves')
  }
}

function newAgent(): AgentState {
  return {
    status: 'ready',
    done: false,
    history: [],
    // Not 0: there answers of 0 would leave them as they are, and one who has asked would look like one who has not.
    hash1: 0x811c9dc5 | 0,
    hash2: 0x01000193,
    request: undefined,
    visible: true,
    deadline: Infinity,
    listener: undefined,
    timers: [],
    aborts: 0,
    claimedBy: -1,
  }
}

/** What the event loop calls has nobody above it that could catch the stop. */
function swallowStop(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    if (error !== STOP) throw error
  }
}

function asViolation(error: unknown): Violation {
  if (error instanceof Violation) return error
  const { stack, message } = error as Error
  return new Violation(`an agent threw: ${stack ?? message ?? String(error)}`)
}
