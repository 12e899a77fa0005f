/**
 * The base of every error that the packages throw themselves.
 *
 * `instanceof` goes by `code`, not by identity, so that an error of a second
 * installed copy, or one that crossed a process, is still recognised.
 *
 * @module
 */

/** Thrown for whatever is particular to these packages; `code` is stable and starts with `ERR_MP_`. */
export class MultiprocessingError extends Error {
  /** A stable name for programs to test, such as `ERR_MP_NOT_HELD`. */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  override get name(): string {
    return this.constructor.name
  }

  static override [Symbol.hasInstance](this: unknown, value: unknown): boolean {
    const code: unknown = value instanceof Error ? (value as { code?: unknown }).code : undefined
    if (typeof code !== 'string' || !code.startsWith('ERR_MP_')) return false
    if (this === MultiprocessingError) return true
    const type = this as { name: string }
    return (
      Function.prototype[Symbol.hasInstance].call(type as never, value) || isNamed(value, type.name)
    )
  }
}

/** Whether it is of a class with this name: the session of a child comes from another copy of this module. */
function isNamed(value: unknown, name: string): boolean {
  for (
    let at: unknown = Object.getPrototypeOf(value);
    at !== null;
    at = Object.getPrototypeOf(at)
  ) {
    if ((at as object).constructor?.name === name) return true
  }
  return false
}

/** Thrown when a wait that has no other way to say so passes its `timeout`. */
export class TimeoutError extends MultiprocessingError {
  constructor(message: string) {
    super('ERR_MP_TIMEOUT', message)
  }
}

/** Thrown when the session's shared memory has no room; says which limit and how to raise it. */
export class OutOfSharedMemoryError extends MultiprocessingError {
  constructor(message: string) {
    super('ERR_MP_OUT_OF_MEMORY', message)
  }
}
