/**
 * Ways in which a worker of a pool ends, and moments when it does.
 *
 * @module
 */
import { type Reduced, reduceSymbol } from '@mp/shared-memory/internal'

/** What is known of a worker that has ended in this way. */
export interface End {
  readonly exitCode: number
  readonly signal: string | null
}

export type Way = 'kill' | 'segfault' | 'abort' | 'exit' | 'exitWell' | 'uncaught' | 'rejection'

export const WAYS: Record<Way, End> = {
  kill: { exitCode: -9, signal: 'SIGKILL' },
  segfault: { exitCode: -11, signal: 'SIGSEGV' },
  abort: { exitCode: -6, signal: 'SIGABRT' },
  exit: { exitCode: 5, signal: null },
  exitWell: { exitCode: 0, signal: null },
  uncaught: { exitCode: 1, signal: null },
  rejection: { exitCode: 1, signal: null },
}

const ALL = Object.keys(WAYS) as Way[]

/** Those that end a thread without its process. */
export const THREAD_WAYS: readonly Way[] = ['exit', 'exitWell', 'uncaught', 'rejection']
/** Those that wait for a turn of the event loop, and so for the end of what is going on. */
const LATE: readonly Way[] = ['uncaught', 'rejection']

/** Ends the worker, now or as soon as its event loop turns; then the promise never settles. */
function end(way: Way): Promise<never> {
  switch (way) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL')
      break
    case 'segfault':
      process.kill(process.pid, 'SIGSEGV')
      break
    case 'abort':
      process.abort()
      break
    case 'exit':
      process.exit(5)
      break
    case 'exitWell':
      process.exit(0)
      break
    case 'uncaught':
      setImmediate(() => {
        throw new Error('thrown where nobody catches it')
      })
      break
    case 'rejection':
      void Promise.reject(new Error('rejected where nobody catches it'))
  }
  // It keeps the event loop alive, so that the end is none of its own accord.
  return new Promise(() => setInterval(() => {}, 60_000))
}

function endAtOnce(way: Way): never {
  void end(way)
  for (;;);
}

/** An item: a number is given back, a way is gone. */
export type Item = number | Way

/** @public Found by its name, as those below. */
export function during(item: Item): Item | Promise<never> {
  return typeof item === 'number' ? item : end(item)
}

/**
 * Dies between two turns of the event loop.
 *
 * @public
 */
export async function waiting(item: Item): Promise<Item> {
  await new Promise((resolve) => setImmediate(resolve))
  return typeof item === 'number' ? item : end(item)
}

/**
 * Dies when what it returns is encoded.
 *
 * @public
 */
export function sending(item: Item): unknown {
  if (typeof item === 'number') return item
  return {
    get value() {
      return endAtOnce(item)
    },
  }
}

/**
 * Dies when its argument is decoded.
 *
 * @public
 */
export function receiving(item: unknown): unknown {
  return item
}

/** An argument for `receiving`. */
export class Explosive {
  readonly way: Way

  constructor(way: Way) {
    this.way = way
  }
}

// Outside of the class because its name is computed.
Object.defineProperty(Explosive.prototype, reduceSymbol, {
  value(this: Explosive): Reduced {
    return { module: import.meta.url, name: 'explode', args: [this.way] }
  },
})

/** @public Found by its name. */
export function explode(way: Way): never {
  return endAtOnce(way)
}

/**
 * Gives its result, then dies while it has nothing to do.
 *
 * @public
 */
export function after(item: Item): Item {
  if (typeof item !== 'number') setImmediate(() => void end(item))
  return item
}

/** As initializer. */
export function initialize(way: Way): Promise<never> {
  return end(way)
}

export type Moment = 'during' | 'waiting' | 'sending' | 'receiving' | 'after' | 'initializer'

/** When a worker ends, and what then becomes of the call. */
export interface MomentPlan {
  readonly fn: (item: never) => unknown
  readonly isLost: boolean
  readonly ways: readonly Way[]
}

const PROMPT = ALL.filter((way) => !LATE.includes(way))

export const MOMENTS: Record<Moment, MomentPlan> = {
  during: { fn: during, isLost: true, ways: ALL },
  waiting: { fn: waiting, isLost: true, ways: ALL },
  sending: { fn: sending, isLost: true, ways: PROMPT },
  receiving: { fn: receiving, isLost: true, ways: PROMPT },
  after: { fn: after, isLost: false, ways: ALL },
  initializer: { fn: during, isLost: false, ways: ALL },
}
