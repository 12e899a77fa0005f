/**
 * What the operations of a storm have in common.
 *
 * @module
 */
import { PicklingError } from '@mp/pickle'
import type { WaitOptions } from '@mp/shared-memory/internal'
import type { Random } from 'mp-internal'
import type { Ledger } from './ledger.js'
import { type Message, type Objects, makeBytes } from './objects.js'
import type { Recorder } from './record.js'

export interface Scene {
  readonly agent: number
  readonly ledger: Ledger
  readonly objects: Objects
  readonly record: Recorder
  readonly random: Random
  /** By channel: how many messages it has begun to put. */
  readonly begun: number[]
}

/** How an operation waits. */
export interface Manner {
  readonly form: 'sync' | 'async'
  readonly options: WaitOptions
  /** Whether it may end without having got what it waits for. */
  readonly mayFail: boolean
  /** Whether the agent does nothing else meanwhile. */
  readonly isAlone: boolean
}

export type Operation = (scene: Scene, manner: Manner) => unknown

/** The reason of aborts in a storm. */
export const ABORTED: Error = new Error('aborted in a storm')

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code

/** What is done inside takes a moment, so that others come. */
export function linger({ random }: Scene): void {
  const end = performance.now() + random.next() * 0.15
  while (performance.now() < end);
}

/** Now and then beyond a page, beyond what goes inline, and in pages of its own where it can be leased. */
export function makeMessage({ agent, random }: Scene, sequence: number): Message {
  if (random.chance(0.03)) return [agent, sequence, makeBytes(random.integer(16_384, 300_000))]
  // Now and then beyond a page, and beyond what goes inline.
  const length = random.chance(0.03) ? random.integer(10_000, 40_000) : random.integer(0, 60)
  return [agent, sequence, 'x'.repeat(length)]
}

/** Whether a wait ended because that was asked for. */
export function isGivenUp(error: unknown): boolean {
  if (error instanceof PicklingError) return false
  const code = codeOf(error)
  return (
    error === ABORTED ||
    code === 'ERR_MP_TIMEOUT' ||
    code === 'ERR_MP_QUEUE_FULL' ||
    code === 'ERR_MP_QUEUE_EMPTY'
  )
}
