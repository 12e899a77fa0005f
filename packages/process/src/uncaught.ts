/**
 * How uncaught errors are shown: a child's under its name, and always before a wait.
 *
 * Node shows an uncaught error of a main thread after the `exit` listeners ran, in which we wait
 * for children; of a worker thread it shows none. In those cases we show it ourselves, at once.
 *
 * @module
 */
import type { EventEmitter } from 'node:events'
import { isMainThread } from 'node:worker_threads'
import { describe, header, writeStderr } from './report.js'
import { children, current, uncaught } from './state.js'

/** What `process.exit()` calls last; undocumented, and the same in all Nodes since 0.1. */
interface Exiting {
  reallyExit(code: number): never
}

/** Starts to show this agent's uncaught errors. */
export function showUncaughtErrors(): void {
  if (uncaught.shown) return
  uncaught.shown = true
  process.on('uncaughtExceptionMonitor', show)
}

/** Makes reports go where the thread's `process.stderr` goes. */
export function reportToStream(): void {
  uncaught.write = (text) => void process.stderr.write(text)
}

/** Ends this agent with an error that its target threw; as an uncaught one, so handlers of the program see it. */
export function fail(error: unknown): void {
  process.exitCode = 1
  if (isHandled()) {
    process.nextTick(() => {
      throw error
    })
    return
  }
  uncaught.failing = true
  const emitter: EventEmitter = process
  emitter.emit('uncaughtExceptionMonitor', error, 'uncaughtException')
  process.exit(1)
}

/** Writes a message of this agent under its name. */
export function say(message: string): void {
  const { write = writeStderr } = uncaught
  write(`${header(current.state.name)}${message}\n`)
}

function show(error: unknown): void {
  if (isHandled()) return
  const { failing, write = writeStderr } = uncaught
  const isChild = current.parent !== undefined
  const waits = isMainThread && [...children.keys()].some((child) => !child.daemon)
  const whole = failing || waits || (isChild && !isMainThread)
  const text = (isChild ? header(current.state.name) : '') + (whole ? `${describe(error)}\n` : '')
  if (text !== '') write(text)
  // Registered now, so it runs last; and leaves Node no chance to show the error again.
  if (waits) process.on('exit', (code) => (process as unknown as Exiting).reallyExit(code))
}

/** Whether the program has a handler of its own, so that an uncaught error does not end it. */
function isHandled(): boolean {
  return (
    process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()
  )
}
