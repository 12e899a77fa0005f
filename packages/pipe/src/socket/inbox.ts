/**
 * The receiving half of a connection over a socket: from bytes to messages.
 *
 * Nothing is read ahead of those who wait, apart from what Node buffers: a receiver that is slow makes
 * the sender wait.
 *
 * @module
 */
import { PENDING, type Pending } from '@mp/shared-memory/internal'
import { EOFError, TruncatedMessageError } from '../errors.js'
import { Decoder } from './frames.js'
import type { SocketReader } from './reader.js'

/** How much one look reads at most: then the event loop gets a turn. */
const TURN = 1 << 22

export class Inbox {
  readonly #reader: SocketReader
  readonly #decoder: Decoder
  #failure: Error | undefined

  /**
   * @param limit the longest message to accept, in bytes.
   * @param isTrusted whether to believe the other side how long a message will be.
   */
  constructor(reader: SocketReader, limit: number, isTrusted: boolean) {
    this.#reader = reader
    this.#decoder = new Decoder(limit, isTrusted)
  }

  /** Takes the next message if it is there. Throws at the end of file, and when the stream makes no sense. */
  take(): Uint8Array | Pending {
    this.#read()
    const message = this.#decoder.take()
    if (message !== undefined) return message
    if (this.#failure !== undefined) throw this.#failure
    return PENDING
  }

  /** Whether `take` would give a message, or throw. */
  isReady(): boolean {
    this.#read()
    return this.#decoder.hasMessage || this.#failure !== undefined
  }

  #read(): void {
    const decoder = this.#decoder
    for (let left = TURN; !decoder.hasMessage && this.#failure === undefined && left > 0;) {
      try {
        const piece = this.#reader.piece()
        if (piece !== null) {
          left -= piece.length
          decoder.feed(piece)
        } else if (this.#reader.isOver) {
          this.#failure = decoder.isBetween
            ? new EOFError()
            : new TruncatedMessageError(decoder.length)
        } else {
          return
        }
      } catch (error) {
        this.#failure = error as Error
        // There is no way to find the next message. The other side shall know, and send no more.
        this.#reader.close()
        this.#reader.socket.destroy()
      }
    }
  }
}
