/**
 * What connections throw.
 *
 * @module
 */
import { MultiprocessingError } from '@mp/shared-memory/internal'

/** Thrown when nothing is left to receive and every holder of the other end has closed it or died. */
export class EOFError extends MultiprocessingError {
  constructor() {
    super('ERR_MP_EOF', 'End of file: the other end of the connection is closed')
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
