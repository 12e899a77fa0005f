/**
 * Ends a fork as `process.exit()` does, also when its event loop is empty, but at once. Node would take down all of the
 * heap first, page by page, or at least wake its threads to join them: of a fork, those are pages that it shares, and
 * would have to copy for that.
 *
 * @module
 */
import type { Native } from '@mp/shared-memory/internal'

/** What `process.exit()` calls last; undocumented, and the same in all Nodes since 0.1. */
interface Exiting {
  reallyExit(code: number): never
}

/** Flags with which Node writes a file when it ends. */
const WRITES_AT_END = /--(cpu-prof|heap-prof|prof\b|trace-event|logfile|experimental-test-coverage)/

/**
 * @param native of a fork, which may leave even without the handlers of C libraries; without it, a process
 * ends as by `process.exit()`, unless it has loaded an addon: at a natural end those clean up.
 */
export function exitQuickly(native?: Native): void {
  const { reallyExit } = process as unknown as Exiting
  // Both are the same in all copies.
  const isQuick = native !== undefined && !writesAtEnd()
  let isFailing = false
  // Node has an uncaught error to show still, after the listeners of `exit`.
  process.on('uncaughtExceptionMonitor', () => {
    isFailing = true
  })
  const emit = process.emit as (...args: unknown[]) => boolean
  const emitAndExit = function (this: unknown, ...args: unknown[]): boolean {
    const isHeard = Reflect.apply(emit, this, args)
    if (args[0] === 'exit' && !isFailing && (native !== undefined || !hasAddons())) {
      const code = Number(process.exitCode ?? args[1])
      // Asked for now: who wants to be last (`signal-exit`, coverage) replaces it.
      const last = (process as unknown as Exiting).reallyExit
      if (last === reallyExit && isQuick) native?.forkExit(code & 0xff)
      Reflect.apply(last, process, [code])
    }
    return isHeard
  }
  process.emit = emitAndExit as typeof process.emit
}

/** There in the file that spawned processes run, which is CommonJS. */
declare const require: NodeJS.Require | undefined

/** Whether there are addons besides ours, which that file has loaded first. */
function hasAddons(): boolean {
  const files = typeof require === 'function' ? Object.keys(require.cache) : []
  return files.filter((file) => file.endsWith('.node')).length > 1
}

function writesAtEnd(): boolean {
  const { NODE_V8_COVERAGE: coverage, NODE_OPTIONS: options = '' } = process.env
  return Boolean(coverage) || WRITES_AT_END.test(`${options} ${process.execArgv.join(' ')}`)
}
