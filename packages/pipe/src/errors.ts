/**
 * What connections throw.
 *
 * @module
 */
import { MultiprocessingError } from '@mp/shared-memory/internal'

/** Thrown when nothing is left to receive and every holder of the other end has closed it or died. */
export class EOFError extends MultiprocessingError {
  constructor(
    message = 'End of file: the other end of the connection is closed',
    code = 'ERR_MP_EOF',
  ) {
    super(code, message)
  }
}

/**
 * Thrown when the other end of a socket was closed, or died, half-way through a message.
 *
 * It is an end of file, but one that lost something: a loop over the connection ends with it.
 */
export class TruncatedMessageError extends EOFError {
  /** @param byteLength how much of the message had come. */
  constructor(byteLength: number) {
    super(
      `End of file within a message: the other end was closed, or died, when ${byteLength} bytes of it had come`,
      'ERR_MP_TRUNCATED',
    )
  }
}

/** Thrown when sending to an end that every holder has closed or died. */
export class BrokenPipeError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_BROKEN_PIPE', 'Broken pipe: the other end of the connection is closed')
  }
}

/** Thrown when a message is longer than the caller has room for; it carries the message, and the connection stays usable. */
export class BufferTooShortError extends MultiprocessingError {
  /** The whole message. */
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array, room: number) {
    super(
      'ERR_MP_BUFFER_TOO_SHORT',
      `The message has ${bytes.byteLength} bytes, there is room for ${room}`,
    )
    this.bytes = bytes
  }
}

/** Thrown when the other side of a socket cannot show that it knows the `authKey`, or does not take ours. */
export class AuthenticationError extends MultiprocessingError {
  constructor(message: string) {
    super('ERR_MP_AUTHENTICATION', message)
  }
}

/** Thrown when what comes over a socket is no message; the connection is of no use any more. */
export class CorruptStreamError extends MultiprocessingError {
  constructor(what: string) {
    super('ERR_MP_CORRUPT', `What came over the socket is no message: ${what}`)
  }
}
