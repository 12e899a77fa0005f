/**
 * Checks of arguments, with one wording: name, what is allowed, what came.
 *
 * @module
 */
import { inspect } from 'node:util'

/** The options that every wait takes last. */
export interface WaitOptions {
  /**
   * How long to wait, in milliseconds; 0 or less means not at all.
   *
   * @default Infinity
   */
  timeout?: number | undefined
  /** Ends the wait when it aborts: the promise rejects with `signal.reason`. */
  signal?: AbortSignal | undefined
}

/** Builds the TypeError for an argument of the wrong kind. */
export function wrongType(name: string, allowed: string, value: unknown): TypeError {
  return new TypeError(
    `Expected \`${name}\` to be ${allowed}, got \`${inspect(value, { depth: 0 })}\``,
  )
}

/** Builds the RangeError for an argument that is of the right kind but not allowed. */
export function outOfRange(name: string, allowed: string, value: unknown): RangeError {
  return new RangeError(
    `Expected \`${name}\` to be ${allowed}, got \`${inspect(value, { depth: 0 })}\``,
  )
}

/** Returns `value` if it is an integer in [min, max]; throws TypeError or RangeError otherwise. */
export function checkInteger(
  name: string,
  value: unknown,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const allowed =
    max === Number.MAX_SAFE_INTEGER
      ? min === 0
        ? 'a non-negative integer'
        : min === 1
          ? 'a positive integer'
          : `an integer of at least ${min}`
      : `an integer from ${min} to ${max}`
  if (typeof value !== 'number') throw wrongType(name, allowed, value)
  if (!Number.isInteger(value) || value < min || value > max) throw outOfRange(name, allowed, value)
  return value
}

/** Returns the options' timeout in milliseconds (Infinity when left out) after checking both fields. */
export function checkWaitOptions(options: WaitOptions | undefined): number {
  if (options === undefined) return Infinity
  if (typeof options !== 'object' || options === null) {
    throw wrongType('options', 'an object with `timeout` and `signal`', options)
  }
  const { timeout, signal } = options
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw wrongType('signal', 'an AbortSignal', signal)
  }
  if (timeout === undefined) return Infinity
  if (typeof timeout !== 'number') throw wrongType('timeout', 'a number of milliseconds', timeout)
  if (Number.isNaN(timeout)) throw outOfRange('timeout', 'a number of milliseconds', timeout)
  return timeout
}
