/**
 * Ends a fork as `process.exit()` does, also when its event loop is empty. Node would take down all of the heap
 * first, page by page: of a fork, those are pages that it shares, and would have to copy for that.
 *
 * @module
 */

/** What `process.exit()` calls last; undocumented, and the same in all Nodes since 0.1. */
interface Exiting {
  reallyExit(code: number): never
}

export function exitQuickly(): void {
  let isFailing = false
  // Node has an uncaught error to show still, after the listeners of `exit`.
  process.on('uncaughtExceptionMonitor', () => {
    isFailing = true
  })
  const emit = process.emit as (...args: unknown[]) => boolean
  const emitAndExit = function (this: unknown, ...args: unknown[]): boolean {
    const isHeard = Reflect.apply(emit, this, args)
    if (args[0] === 'exit' && !isFailing) {
      // Asked for now: who wants to be last (`signal-exit`, coverage) replaces it.
      ;(process as unknown as Exiting).reallyExit(Number(process.exitCode ?? args[1]))
    }
    return isHeard
  }
  process.emit = emitAndExit as typeof process.emit
}
