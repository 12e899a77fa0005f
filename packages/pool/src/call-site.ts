/**
 * Where a call came from: the second stack of an error that was thrown in a worker.
 *
 * @module
 */

/** Taken at the call, told when it fails. V8 makes the text only then. */
export class CallSite {
  declare readonly stack: string

  /** @param caller what the stack is to leave out, with all that it calls. */
  constructor(caller: Function) {
    Error.captureStackTrace(this, caller)
  }

  /** Adds the stack of the call to that of the worker. */
  addTo(error: unknown): void {
    if (!(error instanceof Error) || seen.has(error)) return
    seen.add(error)
    const { stack } = error
    const call = this.stack.slice(this.stack.indexOf('\n') + 1)
    if (typeof stack !== 'string' || !call.startsWith('    at')) return
    // Of a frozen error it stays as it was.
    Reflect.defineProperty(error, 'stack', {
      value: `${stack}\n    --- called from ---\n${call}`,
      writable: true,
      configurable: true,
    })
  }
}

/** One error may reject several calls. */
const seen = new WeakSet<Error>()
