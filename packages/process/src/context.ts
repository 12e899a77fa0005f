/**
 * Contexts: everything there is, bound to one start method.
 *
 * @module
 */
import { reduceSymbol } from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { cpuCount } from './cpu-count.js'
import { type ParentProcess, activeChildren, currentProcess, parentProcess } from './current.js'
import { setForkserverPreload } from './forkserver/preload.js'
import type { StartMethod } from './options.js'
import { Process } from './process.js'
import {
  type SetStartMethodOptions,
  checkStartMethod,
  getAllStartMethods,
  getStartMethod,
  setStartMethod,
} from './start-method.js'
import { type Target, markStock } from './state.js'

/** A Process that is started by `spawn`, whatever the default is. */
export class SpawnProcess<F extends Target = () => unknown> extends Process<F> {
  static override readonly startMethod = 'spawn'
}

/** A Process that is started by `forkserver`, whatever the default is. */
export class ForkserverProcess<F extends Target = () => unknown> extends Process<F> {
  static override readonly startMethod = 'forkserver'
}

/** A Process that is started as a `thread`, whatever the default is. */
export class ThreadProcess<F extends Target = () => unknown> extends Process<F> {
  static override readonly startMethod = 'thread'
}

markStock(SpawnProcess)
markStock(ForkserverProcess)
markStock(ThreadProcess)

const CLASSES: Record<StartMethod, typeof Process> = {
  spawn: SpawnProcess,
  forkserver: ForkserverProcess,
  thread: ThreadProcess,
}

/** The same functions and classes as the module, with processes started in one way. See `getContext`. */
export class Context {
  readonly #method: StartMethod | undefined

  /** @internal */
  constructor(method: StartMethod | undefined) {
    this.#method = method
  }

  /** `Process`, started by this context's method. */
  get Process(): typeof Process {
    return this.#method === undefined ? Process : CLASSES[this.#method]
  }

  getStartMethod(): StartMethod {
    return this.#method ?? getStartMethod()
  }

  getAllStartMethods(): StartMethod[] {
    return getAllStartMethods()
  }

  /** Sets the default of this process; it does not change a context that has a method of its own. */
  setStartMethod(method: StartMethod, options?: SetStartMethodOptions): void {
    setStartMethod(method, options)
  }

  getContext(method?: StartMethod): Context {
    return method === undefined ? this : getContext(method)
  }

  setForkserverPreload(names: readonly string[]): void {
    setForkserverPreload(names)
  }

  cpuCount(): number {
    return cpuCount()
  }

  currentProcess(): Process {
    return currentProcess()
  }

  parentProcess(): ParentProcess | null {
    return parentProcess()
  }

  activeChildren(): Process[] {
    return activeChildren()
  }

  /** The context's method, if it has one. @internal */
  static methodOf(context: Context): StartMethod | undefined {
    return context.#method
  }
}

Object.defineProperty(Context.prototype, reduceSymbol, {
  // Who extends contexts sends them so that they arrive extended.
  configurable: true,
  value(this: Context) {
    return { module: ORIGIN, name: 'getContext', args: [Context.methodOf(this)] }
  },
})

const contexts = new Map<StartMethod | undefined, Context>()

/** Returns the context of a start method; without one, that of the default, whatever it will be. */
export function getContext(method?: StartMethod): Context {
  if (method !== undefined) checkStartMethod('method', method)
  let context = contexts.get(method)
  if (context === undefined) contexts.set(method, (context = new Context(method)))
  return context
}

/**
 * Gives all contexts another property, such as `Pool`: made per context on its first use.
 *
 * Packages above this one call it, and give `getContext` a type that knows.
 */
export function extendContext(name: string, make: (context: Context) => unknown): void {
  const made = new WeakMap<Context, unknown>()
  Object.defineProperty(Context.prototype, name, {
    configurable: true,
    get(this: Context) {
      if (!made.has(this)) made.set(this, make(this))
      return made.get(this)
    },
  })
}
