/**
 * Blocking until a descriptor of Node's, such as a socket's, can be read or written.
 *
 * Needs no session. Who waits does so in slices, each of them a call: its entry is where V8 lets
 * `terminate()` in.
 *
 * @module
 */
import { SLICE_MS } from './agent.js'
import { PollState } from './native.js'
import { loadPlatform } from './platform.js'

export { PollState }

/**
 * Blocks this thread for one slice, or until the descriptor is in one of the states of `interest`.
 *
 * @param interest a sum of `PollState`s.
 * @param timeoutMs how long there is left to wait; 0 or less: only looks.
 * @returns the states it is in, 0 when there are none of these yet: look at the time, and ask again.
 */
export function pollDescriptor(fd: number, interest: number, timeoutMs: number): number {
  return loadPlatform().poll(fd, interest, Math.min(timeoutMs, SLICE_MS))
}
