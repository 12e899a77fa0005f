/**
 * Thrown within this folder where the path to the value is not known; the writer adds it.
 *
 * @module
 */

/** Carries why a function cannot be sent, as a verb phrase. */
export class Unsendable extends Error {
  readonly reason: string

  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}
