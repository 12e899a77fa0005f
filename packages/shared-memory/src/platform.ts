/**
 * Which platform a thread has: the addon, or, where no binary of it fits, threads alone (`bare/platform.ts`).
 *
 * A session is of one kind for all: a thread has what the one has that started it. `MP_PLATFORM` says which it is to
 * be, for tests: `native` or `bare`.
 *
 * @module
 */
import { barePlatform, canBeBare, isBareThread } from './bare/platform.js'
import { type Native, loadNative } from './native.js'

let chosen: Native | undefined

/** The platform of this thread. Throws as `loadNative` does when `MP_PLATFORM` is `native`. */
export function loadPlatform(): Native {
  chosen ??= choose()
  return chosen
}

/** Whether there is no addon here: then there are threads, and no processes. */
export function isBare(): boolean {
  return loadPlatform().bare !== undefined
}

function choose(): Native {
  const setting = process.env['MP_PLATFORM'] ?? ''
  if (setting !== '' && setting !== 'native' && setting !== 'bare') {
    throw new RangeError(
      `Expected \`MP_PLATFORM\` to be \`native\` or \`bare\`, got \`${setting}\``,
    )
  }
  if (setting === 'bare' || isBareThread()) return barePlatform()
  try {
    return loadNative()
  } catch (error) {
    // In a bundle there are no files for the threads that it would start.
    if (setting === 'native' || !canBeBare()) throw error
    process.emitWarning(
      `Only threads can be started here, not processes: ${(error as Error).message}`,
      { code: 'MP_NATIVE_MISSING' },
    )
    return barePlatform()
  }
}
