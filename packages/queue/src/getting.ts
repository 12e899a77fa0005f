/**
 * Waiting for an item of a queue, and decoding it.
 *
 * @module
 */
import { loads, loadsAsync, loadsFrom, needsModules } from '@mp/pickle'
import {
  type MessageRing,
  PENDING,
  type Session,
  type Taken,
  collectRevived,
  deadlineAfter,
  ownCopy,
} from '@mp/shared-memory/internal'
import { QueueEmptyError, QueueShutDownError } from './errors.js'
import { asQueueError } from './putting.js'

/** Waits until there is a message, and takes it. */
export async function take(
  { waiting }: Session,
  ring: MessageRing,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Taken> {
  let taken
  try {
    taken = await waiting.async(ring.claiming(), timeoutMs, signal)
  } catch (error) {
    throw asQueueError(error)
  }
  if (taken === PENDING) throw new QueueEmptyError()
  return taken
}

/** As `take`, blocking this thread. */
export function takeSync({ waiting, agent }: Session, ring: MessageRing, timeoutMs: number): Taken {
  if (ring.drained) throw new QueueShutDownError()
  let taken
  try {
    taken = waiting.block(ring.claiming(), deadlineAfter(agent, timeoutMs))
  } catch (error) {
    throw asQueueError(error)
  }
  if (taken === PENDING) throw new QueueEmptyError()
  return taken
}

/** A message that names modules: one with a top-level await has to be waited for. */
export class Undecoded {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** Decodes what can be decoded at once. */
export function decodeOrKeep(bytes: Uint8Array, length: number): unknown {
  return needsModules(bytes, length)
    ? new Undecoded(ownCopy(bytes, length))
    : loadsFrom(bytes, length)
}

/** Decodes at once where that works after all, and else when the modules are there. */
export async function decode({ bytes }: Undecoded): Promise<unknown> {
  // What arrives the first time must be there the second time.
  const arrived: unknown[] = []
  try {
    return collectRevived(arrived, () => loads(bytes))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error
    const item = await loadsAsync(bytes)
    arrived.length = 0
    return item
  }
}
