/**
 * What happens to processes, for those who look: on channels of `node:diagnostics_channel`, and as
 * lines on stderr under `NODE_DEBUG=mp`. Without either, it costs a look at a flag.
 *
 * Subscribers run at once, when what they are told about is done; those of `mp:recovery` in the next
 * microtask, since nothing of the program may run while a recovery is going on.
 *
 * @module
 */
import type { Session } from '@mp/shared-memory/internal'
import { channel } from 'node:diagnostics_channel'
import { type DebugLogger, debuglog } from 'node:util'

/** The message on each channel. */
export interface ProcessEvents {
  /** A child has been started; in its parent. */
  'mp:process:start': { name: string; pid: number; startMethod: string; daemon: boolean }
  /** The child has all that it needs and begins to run; in the child. `sinceStartMs`: since its process or thread began. */
  'mp:process:ready': { name: string; pid: number; sinceStartMs: number }
  /** A child has ended, and this is known; in its parent. */
  'mp:process:exit': { name: string; pid: number; exitCode: number }
  /** A child was killed by a signal; in its parent, before `exit`. `signal` is a number. */
  'mp:process:death': { name: string; pid: number; signal: number }
  /**
   * What a dead process or thread of this tree held has been taken from it, and its locks handed on; in whoever did
   * so. `killed`: without warning; `exited`: while it exited; `ended`: in good order.
   */
  'mp:recovery': { pid: number; reason: 'killed' | 'exited' | 'ended' | 'unknown' }
}

/** Asking Node for a log takes it longer than all the rest of {@link announce}: only where one may be wanted. */
const mayLog = Boolean(process.env['NODE_DEBUG'])
let debug: DebugLogger | undefined

function enabledLog(): DebugLogger | undefined {
  if (!mayLog) return undefined
  debug ??= debuglog('mp')
  return debug.enabled ? debug : undefined
}

/** Tells those who look; `message` is made only for them. */
export function announce<E extends keyof ProcessEvents>(
  event: E,
  message: () => ProcessEvents[E],
): void {
  const listeners = channel(event)
  const log = enabledLog()
  if (!listeners.hasSubscribers && log === undefined) return
  const told = message()
  log?.('%s %s', event.replace(/^mp:(process:)?/, ''), describe(told))
  if (!listeners.hasSubscribers) return
  if (event === 'mp:recovery') queueMicrotask(() => listeners.publish(told))
  else listeners.publish(told)
}

/** Makes this agent tell of what it recovers. */
export function tellRecoveries({ reaper }: Session): void {
  reaper.onReaped = (tag, pid) =>
    announce('mp:recovery', () => ({ pid, reason: reaper.lookUp(tag)?.reason ?? 'unknown' }))
}

function describe(message: object): string {
  return Object.entries(message)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ')
}
