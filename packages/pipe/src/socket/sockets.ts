/**
 * How Node's sockets are to behave under a connection.
 *
 * @module
 */

/** After so long without a word the kernel asks whether the other machine is still there, in milliseconds. */
const KEEP_ALIVE_MS = 60_000

/** For both sides. */
export const connectionOptions: {
  readonly allowHalfOpen: boolean
  readonly noDelay: boolean
  readonly keepAlive: boolean
  readonly keepAliveInitialDelay: number
} = {
  // The end of what comes does not close what goes: whoever holds the connection does that.
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEP_ALIVE_MS,
}
