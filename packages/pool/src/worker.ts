/**
 * What runs in a worker of a pool.
 *
 * Takes tasks as long as there are any, without returning to the event loop for
 * each, but often enough for timers and for what asynchronous functions left
 * running.
 *
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import { dumps, loads, loadsAsync } from '@mp/pickle'
import {
  MessageTooLargeError,
  RingClosedError,
  type Tracked,
  trackInFlight,
} from '@mp/shared-memory/internal'
import { ReceivedFunctions } from './functions.js'
import { MODE, STATUS, type TaskMessage, decodeTask, encodeResult } from './messages.js'
import type { PoolCore } from './pool-core.js'

/** What a worker is told when it starts. */
export interface WorkerSetup {
  readonly index: number
  readonly initializer: ((...args: never[]) => unknown) | undefined
  readonly initArgs: readonly unknown[]
  /** How many tasks it runs before it ends and is replaced. */
  readonly maxTasks: number
  /** How many bytes of memory it may have (resident) before it ends and is replaced. */
  readonly maxMemory: number
}

/** For how long a worker may run synchronous tasks before its event loop gets a turn, in milliseconds. */
const TURN_MS = 10

/** The target of a worker's process. */
export async function runWorker(core: PoolCore, setup: WorkerSetup): Promise<void> {
  const { index, initializer, initArgs } = setup
  try {
    await initializer?.(...(initArgs as never[]))
  } catch (error) {
    await report(core, index, STATUS.initializerError, error)
    return
  }
  await report(core, index, STATUS.ready, undefined)
  const functions = new ReceivedFunctions(core.session)
  let turnEnds = performance.now() + TURN_MS
  for (let done = 0; done < setup.maxTasks && !isTooLarge(setup, done); done++) {
    const message = core.tasks.tryTake(core.claimWord(index)) ?? (await next(core, index))
    if (message === null) return
    await runTask(core, index, functions, message)
    if (performance.now() > turnEnds) {
      await setImmediate()
      turnEnds = performance.now() + TURN_MS
    }
  }
}

/** Waits for a task; null when there will be none. */
async function next(core: PoolCore, index: number): Promise<Uint8Array | null> {
  try {
    const message = await core.session.waiting.async(
      core.tasks.taking(core.claimWord(index)),
      Infinity,
    )
    return message as Uint8Array
  } catch (error) {
    if (error instanceof RingClosedError) return null
    throw error
  }
}

async function runTask(
  core: PoolCore,
  index: number,
  functions: ReceivedFunctions,
  message: Uint8Array,
): Promise<void> {
  const number = (core.claim(index) - 1) & 0x7fffffff
  if (core.start(index, number)) {
    let status: number = STATUS.value
    let value: unknown
    try {
      const task = decodeTask(message)
      const fn = functions.get(task.fn) ?? (await functions.load(task.fn))
      value = apply(fn, task.mode, await decode(task))
      if (isThenable(value)) value = await value
    } catch (error) {
      status = STATUS.error
      value = error
    }
    await report(core, number, status, value)
  } else {
    await report(core, number, STATUS.dropped, undefined)
  }
  // CRASH: after the result, before this: the pool finds the result first and blames nobody.
  core.finish(index)
}

function apply(fn: (...args: unknown[]) => unknown, mode: number, payload: unknown[]): unknown {
  switch (mode) {
    case MODE.call:
      return fn(...payload)
    case MODE.map:
      return inOrder(payload, (item) => fn(item))
    case MODE.starmap:
      return inOrder(payload, (item) => fn(...(item as unknown[])))
    default:
      return inOrder(payload, (item) => settle(fn, item))
  }
}

/** Applies `each` to one item after the other; a promise only if one of them is. */
function inOrder(items: readonly unknown[], each: (item: unknown) => unknown): unknown {
  const results: unknown[] = []
  for (let i = 0; i < items.length; i++) {
    const result = each(items[i])
    if (isThenable(result)) return inOrderAsync(items, each, results, result)
    results.push(result)
  }
  return results
}

async function inOrderAsync(
  items: readonly unknown[],
  each: (item: unknown) => unknown,
  results: unknown[],
  first: PromiseLike<unknown>,
): Promise<unknown[]> {
  results.push(await first)
  while (results.length < items.length) results.push(await each(items[results.length]))
  return results
}

/** An outcome: `[true, value]` or `[false, error]`. */
function settle(fn: (...args: unknown[]) => unknown, item: unknown): unknown {
  try {
    const value = fn(item)
    if (!isThenable(value)) return [true, value]
    return Promise.resolve(value).then(
      (result) => [true, result],
      (error: unknown) => [false, error],
    )
  } catch (error) {
    return [false, error]
  }
}

async function decode(task: TaskMessage): Promise<unknown[]> {
  try {
    return loads(task.payload) as unknown[]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error
    return (await loadsAsync(task.payload)) as unknown[]
  }
}

async function report(
  core: PoolCore,
  number: number,
  status: number,
  value: unknown,
): Promise<void> {
  const { result, cancel, give } = encodeReport(number, status, value)
  try {
    give(core.handle.index)
    if (core.results.tryPut([result]) === 'put') return
    await core.session.waiting.async(core.results.putting([result]), Infinity)
  } catch (error) {
    cancel()
    // It can never fit, but that it cannot will.
    if (!(error instanceof MessageTooLargeError)) throw error
    await report(core, number, STATUS.error, unsendable(error))
  }
}

function encodeReport(number: number, status: number, value: unknown): Tracked<Uint8Array> {
  try {
    return trackInFlight(() => encodeResult({ number, status, payload: dumps(value) }))
  } catch (error) {
    // The value cannot be sent, but why it cannot be can.
    const payload = dumps(unsendable(error))
    return trackInFlight(() => encodeResult({ number, status: STATUS.error, payload }))
  }
}

function unsendable(error: unknown): Error {
  const reason = new Error(`The result cannot be sent: ${(error as Error).message}`)
  reason.name = (error as Error).name
  return Object.assign(reason, { code: (error as NodeJS.ErrnoException).code })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

function isTooLarge(setup: WorkerSetup, done: number): boolean {
  return done > 0 && setup.maxMemory !== Infinity && process.memoryUsage.rss() > setup.maxMemory
}
