/**
 * Which start methods there are, and which one is used when none is named.
 *
 * @module
 */
import {
  MultiprocessingError,
  isBare,
  outOfRange,
  unavailable,
  wrongType,
} from '@mp/shared-memory/internal'
import type { StartMethod } from './options.js'
import { startMethods } from './state.js'

const METHODS: readonly StartMethod[] =
  process.platform === 'linux' ? ['spawn', 'forkserver', 'thread'] : ['spawn', 'thread']

/** Returns the start methods that exist here, the default one first. Without the addon that is `thread` alone. */
export function getAllStartMethods(): StartMethod[] {
  return isBare() ? ['thread'] : [...METHODS]
}

/** Returns the method by which processes start that name none. */
export function getStartMethod(): StartMethod {
  return startMethods.chosen ?? (isBare() ? 'thread' : startMethods.inherited)
}

/** Options of `setStartMethod`. */
export interface SetStartMethodOptions {
  /**
   * Whether to replace a method that was set before.
   *
   * @default false
   */
  force?: boolean | undefined
}

/**
 * Sets the method by which processes start that name none, in this process and its future children.
 *
 * @throws MultiprocessingError (`ERR_MP_START_METHOD_SET`) when it was set before, without `force`; as `start()` where
 * there is no addon and it is not `thread`.
 */
export function setStartMethod(method: StartMethod, options: SetStartMethodOptions = {}): void {
  checkStartMethod('method', method)
  assertAvailable(method)
  const { chosen } = startMethods
  if (chosen !== undefined && options.force !== true) {
    throw new MultiprocessingError(
      'ERR_MP_START_METHOD_SET',
      `The start method was set to '${chosen}' before; set it once, or use { force: true }`,
    )
  }
  startMethods.chosen = method
}

/** Takes over the parent's default; a program may still set its own. */
export function inheritStartMethod(method: StartMethod): void {
  startMethods.inherited = method
}

/** Throws unless it is a start method that exists here. */
export function checkStartMethod(name: string, method: unknown): void {
  const allowed = `one of ${METHODS.map((each) => `'${each}'`).join(', ')}`
  if (typeof method !== 'string') throw wrongType(name, allowed, method)
  if (!METHODS.includes(method as StartMethod)) {
    throw outOfRange(name, allowed, method)
  }
}

/** Throws where processes cannot be started, and only threads can: without the addon. */
export function assertAvailable(method: StartMethod): void {
  if (method === 'thread' || !isBare()) return
  throw unavailable(
    `Cannot start processes by '${method}'`,
    "Threads can be started: leave the start method out, or name 'thread'",
  )
}
