/**
 * The two errors of this package.
 *
 * `PicklingError` is thrown by the sender, at the call, and names the path to what cannot go;
 * `UnpicklingError` by the receiver. Both carry a stable `code`, so they are recognised across two
 * copies of the package.
 *
 * @module
 */

/**
 * Thrown when a value cannot be sent; nothing has been sent then.
 *
 * @example
 * // cannot send "handler": captured variable "db" is a Socket; create it in the child (initializer)
 */
export class PicklingError extends Error {
  static {
    PicklingError.prototype.name = 'PicklingError'
  }

  readonly code: string = 'ERR_MP_PICKLING'

  /** From the value given to `dumps` to the culprit, as in `options.handler → db`. */
  readonly path: string

  constructor(message: string, path: string, options?: ErrorOptions) {
    super(message, options)
    this.path = path
  }
}

/** Thrown when bytes cannot be decoded: malformed, of another version, or naming what is not there. */
export class UnpicklingError extends Error {
  static {
    UnpicklingError.prototype.name = 'UnpicklingError'
  }

  readonly code: string = 'ERR_MP_UNPICKLING'
}
