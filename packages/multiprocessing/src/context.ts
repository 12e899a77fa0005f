/**
 * Contexts with everything in them, as in Python: `ctx.Pool`, `ctx.Queue`, `ctx.Lock`, …
 *
 * Pools and executors of a context start their workers by its method; the others are the classes themselves, because they
 * work between processes and threads of every kind.
 *
 * @module
 */
import { Pipe } from '@mp/pipe'
import { type ExecutorOptions, Pool, type PoolOptions, ProcessPoolExecutor } from '@mp/pool'
import * as base from '@mp/process'
import { extendContext } from '@mp/process/internal'
import { JoinableQueue, Queue, SimpleQueue } from '@mp/queue'
import { ShareableList, SharedArray, SharedMemory, SharedValue } from '@mp/shared-memory'
import { type Reduced, reduceSymbol } from '@mp/shared-memory/internal'
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  RLock,
  RWLock,
  Semaphore,
} from '@mp/sync'
import { ORIGIN } from './origin.js'

/** What is the same in every context. */
const SAME = {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  JoinableQueue,
  Lock,
  Pipe,
  Queue,
  RLock,
  RWLock,
  Semaphore,
  ShareableList,
  SharedArray,
  SharedMemory,
  SharedValue,
  SimpleQueue,
}

/** The same functions and classes as the package, with processes and pools started in one way. See `getContext`. */
export interface Context extends base.Context {
  /** `Pool`, whose workers are started by this context's method. */
  readonly Pool: typeof Pool
  /** `ProcessPoolExecutor`, whose workers are started by this context's method. */
  readonly ProcessPoolExecutor: typeof ProcessPoolExecutor
  readonly Barrier: typeof Barrier
  readonly BoundedSemaphore: typeof BoundedSemaphore
  readonly Condition: typeof Condition
  readonly Event: typeof Event
  readonly JoinableQueue: typeof JoinableQueue
  readonly Lock: typeof Lock
  readonly Pipe: typeof Pipe
  readonly Queue: typeof Queue
  readonly RLock: typeof RLock
  readonly RWLock: typeof RWLock
  readonly Semaphore: typeof Semaphore
  readonly ShareableList: typeof ShareableList
  readonly SharedArray: typeof SharedArray
  readonly SharedMemory: typeof SharedMemory
  readonly SharedValue: typeof SharedValue
  readonly SimpleQueue: typeof SimpleQueue
  getContext(method?: base.StartMethod): Context
}

export const Context: typeof base.Context = base.Context

/** Returns the context of a start method; without one, that of the default, whatever it will be. */
export const getContext: (method?: base.StartMethod) => Context = base.getContext as never

for (const [name, value] of Object.entries(SAME)) extendContext(name, () => value)
extendContext('Pool', (context) => {
  const startMethod = base.Context.methodOf(context)
  if (startMethod === undefined) return Pool
  return class extends Pool {
    static override readonly name = 'Pool'

    constructor(options?: number | PoolOptions) {
      super({ startMethod, ...withName('processes', options) })
    }
  }
})
extendContext('ProcessPoolExecutor', (context) => {
  const startMethod = base.Context.methodOf(context)
  if (startMethod === undefined) return ProcessPoolExecutor
  return class extends ProcessPoolExecutor {
    static override readonly name = 'ProcessPoolExecutor'

    constructor(options?: number | ExecutorOptions) {
      super({ startMethod, ...withName('maxWorkers', options) })
    }
  }
})

// One that is sent arrives with all this, too.
Object.defineProperty(base.Context.prototype, reduceSymbol, {
  configurable: true,
  value(this: base.Context): Reduced {
    const args = [base.Context.methodOf(this)]
    return { module: ORIGIN, name: 'getContext', args }
  },
})

/** The number of workers may be given alone. */
function withName(name: string, options: object | number | undefined): object {
  return typeof options === 'object' ? options : { [name]: options }
}
