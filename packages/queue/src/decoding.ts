/**
 * Decoding an item that was taken.
 *
 * @module
 */
import { loads, loadsAsync, loadsFrom, needsModules } from '@mp/pickle'
import { type PlaceBytes, collectRevived, ownCopy } from '@mp/shared-memory/internal'

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

/**
 * Decodes at once where that works, and else when the modules are there.
 *
 * @param place makes the buffers of the item, in place of copies.
 */
export async function decodeItem(message: Uint8Array, place?: PlaceBytes): Promise<unknown> {
  // What arrives the first time must be there the second time.
  const arrived: unknown[] = []
  try {
    return collectRevived(arrived, () => loads(message, { place }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error
    const item = await loadsAsync(message, { place })
    arrived.length = 0
    return item
  }
}
