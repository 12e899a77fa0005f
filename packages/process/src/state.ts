/**
 * What a Process object knows about itself, and what this agent knows about its own.
 *
 * The state stands beside the object, not in private fields: in the child an instance of
 * a subclass comes to be without its constructor, and is a full Process all the same.
 *
 * All of it is in one place of this thread's global object: a child is started by a file that has
 * these modules built in (`child-code.cjs`), and what it knows is found by those that are loaded later.
 *
 * @module
 */
import { MultiprocessingError, type ObjectHandle } from '@mp/shared-memory/internal'
import { MAIN_NAME } from './names.js'
import type { LaunchOptions, StartMethod } from './options.js'
import type { Running } from './running.js'

/** Anything that a Process may call. */
export type Target = (...args: never[]) => unknown

export interface ProcessState {
  /** `self`: the process that this code runs in. */
  readonly kind: 'child' | 'self'
  name: string
  daemon: boolean
  readonly identity: readonly number[]
  readonly target: Target | undefined
  readonly args: readonly unknown[]
  readonly startMethod: StartMethod | undefined
  readonly options: LaunchOptions
  /** There from the start on. */
  running: Running | undefined
  /** There while it runs. */
  record: ObjectHandle | undefined
  /** Takes back what its payload promised, as far as that has not arrived. */
  undelivered?: ((isLost: boolean) => void) | undefined
  /** Why the last `start()` failed; `join()` says so, too. */
  startError?: unknown
  /** Kills it when it has not heeded `terminate()`. */
  killTimer?: NodeJS.Timeout | undefined
  /** From when on somebody who blocks until its end kills it, on the clock of `performance.now()`. */
  killAt?: number | undefined
  exitCode: number | null
  closed: boolean
  /** Called once, each in a microtask of its own, when it has ended. */
  readonly listeners: Set<() => void>
  /** How many of the listeners keep the event loop alive. */
  waiting: number
}

/** The agent that this module runs in. */
export interface Current {
  state: ProcessState
  /** Its own Process object, once somebody asked or it was revived. */
  process: object | undefined
  parent: { readonly name: string; readonly pid: number; readonly tag: number } | undefined
  /** How many children it has made; the last part of their identity. */
  made: number
  /** When it was started, on the clock of `performance.now()`: later than 0 for a copy of a fork server. */
  startedMs: number
}

/** What the copies of this module in this thread have in common. */
interface Shared {
  readonly states: WeakMap<object, ProcessState>
  readonly current: Current
  readonly children: Map<ProcessState, object>
  readonly startMethod: { chosen: StartMethod | undefined; inherited: StartMethod }
  /** Whether uncaught errors are shown, whether one ends us, and where they go. */
  readonly uncaught: {
    shown: boolean
    failing: boolean
    write: ((text: string) => void) | undefined
  }
  /** What a fork server does at its start, because its children will. */
  readonly rehearsals: ((n: number) => Promise<void>)[]
}

// The directory tells another installed copy of the package, maybe of another version.
const url = import.meta.url
const place = Symbol.for(`@mp/process/state ${url.slice(0, url.lastIndexOf('/') + 1)}`)

const shared: Shared = ((globalThis as Record<symbol, unknown>)[place] ??= initial()) as Shared

function initial(): Shared {
  return {
    states: new WeakMap(),
    current: {
      state: {
        kind: 'self',
        name: MAIN_NAME,
        daemon: false,
        identity: [],
        target: undefined,
        args: [],
        startMethod: undefined,
        options: {},
        running: undefined,
        record: undefined,
        exitCode: null,
        closed: false,
        listeners: new Set(),
        waiting: 0,
      },
      process: undefined,
      parent: undefined,
      made: 0,
      startedMs: 0,
    },
    children: new Map(),
    startMethod: { chosen: undefined, inherited: 'spawn' },
    uncaught: { shown: false, failing: false, write: undefined },
    rehearsals: [],
  }
}

const { states } = shared

export const current: Current = shared.current

/** The children of this agent that have been started and have not been seen to end, with their objects. */
export const children: Map<ProcessState, object> = shared.children

export const startMethods: Shared['startMethod'] = shared.startMethod

export const uncaught: Shared['uncaught'] = shared.uncaught

export const rehearsals: Shared['rehearsals'] = shared.rehearsals

const stock = new WeakSet<object>()

/** Marks a class of this package, which need not travel: the child has it. */
export function markStock(type: object): void {
  stock.add(type)
}

export function isStock(type: object): boolean {
  return stock.has(type)
}

export function setState(process: object, state: ProcessState): void {
  states.set(process, state)
}

/** The state of a Process, also of a closed one. */
export function stateOf(process: object): ProcessState {
  const state = states.get(process)
  if (state === undefined) {
    throw new TypeError(
      'This is not a Process made by its constructor; a subclass must call super() in its own',
    )
  }
  return state
}

/** The state of a Process that has not been closed. */
export function openState(process: object): ProcessState {
  const state = stateOf(process)
  if (state.closed) {
    throw new MultiprocessingError('ERR_MP_CLOSED', `${state.name} is closed`)
  }
  return state
}

/** The state of a Process that was started by this agent; `what` is what the caller wants to do. */
export function startedState(process: object, what: string): ProcessState & { running: Running } {
  const state = openState(process)
  if (state.kind === 'self') {
    throw new MultiprocessingError(
      'ERR_MP_NOT_CHILD',
      `Cannot ${what} ${state.name}: only the process that started it can`,
    )
  }
  if (state.running === undefined) {
    if (state.startError !== undefined) throw state.startError as Error
    throw new MultiprocessingError(
      'ERR_MP_NOT_STARTED',
      `Cannot ${what} ${state.name} before it is started`,
    )
  }
  return state as ProcessState & { running: Running }
}
