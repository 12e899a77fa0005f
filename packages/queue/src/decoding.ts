/**
 * Decoding an item that was taken.
 *
 * @module
 */
import { loads, loadsAsync, loadsFrom, needsModules } from '@mp/pickle'
import { collectRevived, ownCopy } from '@mp/shared-memory/internal'

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

/** Decodes at once where that works, and else when the modules are there. */
export async function decodeItem(message: Uint8Array): Promise<unknown> {
  // What arrives the first time must be there the second time.
  const arrived: unknown[] = []
  try {
    return collectRevived(arrived, () => loads(message))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error
    const item = await loadsAsync(message)
    arrived.length = 0
    return item
  }
}
