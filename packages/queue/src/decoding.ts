/**
 * Decoding an item that was taken.
 *
 * @module
 */
import { loads, loadsAsync } from '@mp/pickle'
import { collectRevived } from '@mp/shared-memory/internal'

/** Decodes at once where it can; a module with top-level await has to be waited for. */
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
