/**
 * The descriptors of a fork, from the option `stdio`: as `child_process.spawn` reads it.
 *
 * @module
 */
import type { Native } from '@mp/shared-memory/internal'
import type { StdioOptions } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { StartError } from '../start-error.js'

export interface ChildStreams {
  /** The child's: its 0, 1, 2, then from 4 on. */
  readonly fds: readonly number[]
  /** Our ends of its standard streams, where those are pipes. */
  readonly ours: readonly (number | undefined)[]
  /** Closes what was opened for the child alone. */
  closeTheirs(): void
  /** Closes our ends, when there is no child. */
  closeOurs(): void
}

interface HasFd {
  readonly fd?: unknown
  readonly _handle?: { readonly fd?: unknown } | null
}

/** Opens them. @throws StartError when the system refuses, or an entry has no descriptor. */
export function openStreams(
  native: Native,
  name: string,
  stdio: StdioOptions | undefined,
): ChildStreams {
  const given: readonly unknown[] = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio]
  const fds: number[] = []
  const ours: (number | undefined)[] = []
  const opened: number[] = []
  const paired: number[] = []
  const closeTheirs = (): void => {
    opened.splice(0).forEach((fd) => closeSync(fd))
    paired.splice(0).forEach((fd) => native.forkClose(fd))
  }
  const closeOurs = (): void =>
    ours.splice(0).forEach((fd) => {
      if (fd !== undefined) native.forkClose(fd)
    })
  try {
    for (let i = 0; i < Math.max(3, given.length); i++) {
      const entry = given[i] ?? (i < 3 ? 'inherit' : 'ignore')
      let own: number | undefined
      if (entry === 'ignore') opened.push((fds[i] = openSync('/dev/null', 'r+')))
      else if (entry === 'pipe' || entry === 'overlapped') {
        const [mine, theirs] = native.forkPair(true)
        own = mine
        paired.push((fds[i] = theirs))
      } else fds[i] = entry === 'inherit' ? placeOf(i) : descriptorOf(entry, i)
      ours[i] = own
    }
  } catch (cause) {
    closeTheirs()
    closeOurs()
    throw new StartError(name, (cause as Error).message, { cause })
  }
  return { fds, ours, closeTheirs, closeOurs }
}

/** The session has place 3, so a further entry is one higher in the child. */
function placeOf(i: number): number {
  return i < 3 ? i : i + 1
}

function descriptorOf(entry: unknown, i: number): number {
  const { fd, _handle } = Object(entry) as HasFd
  const number = typeof entry === 'number' ? entry : (fd ?? _handle?.fd)
  if (typeof number === 'number' && number >= 0) return number
  throw new TypeError(`stdio[${i}] has no descriptor`)
}
