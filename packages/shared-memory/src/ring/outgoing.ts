/**
 * A message on its way into a ring: written there while it is encoded, or kept until there is room.
 *
 * One object for each message, and for most messages nothing else: it takes the encoder's
 * bytes, and the notes of the handles among them.
 *
 * @module
 */
import { Notes } from '../in-flight.js'
import { type Ends, MessageTooLargeError } from './message.js'
import type { CopyTo, PutResult } from './message-ring.js'

/** What a message goes into. */
export interface Target {
  tryPutOne(bytes: Uint8Array, length: number, copyTo?: CopyTo, ends?: Ends): PutResult
}

export class Outgoing extends Notes {
  /** How the first attempt ended; `full` also when there was none. */
  result: PutResult = 'full'
  /** The message, when it was not put at once. */
  bytes: Uint8Array | undefined
  /** Of the copies in it. */
  ends: Ends | undefined
  readonly #target: Target
  readonly #through: number
  readonly #isFirst: boolean
  readonly #maxBytes: number

  /**
   * @param through index of the object that the target belongs to.
   * @param isFirst false: others of this thread wait for room, and go first.
   * @param maxBytes the longest message that may go; 0: any.
   * @param isKept whether it may be decoded any number of times.
   */
  constructor(target: Target, through: number, isFirst: boolean, maxBytes: number, isKept = false) {
    super(isKept)
    this.#target = target
    this.#through = through
    this.#isFirst = isFirst
    this.#maxBytes = maxBytes
  }

  /** What the encoder calls, once, with the whole message; it runs no code of users. */
  write(bytes: Uint8Array, length: number, copyTo?: CopyTo): void {
    if (this.#maxBytes !== 0 && length > this.#maxBytes)
      throw new MessageTooLargeError(length, this.#maxBytes)
    // Before it is put: whoever takes it may do so at once.
    this.ends = this.give(this.#through)
    if (this.#isFirst) {
      this.result = this.#target.tryPutOne(bytes, length, copyTo, this.ends)
      if (this.result !== 'full') return
    }
    if (copyTo === undefined) this.bytes = bytes.slice(0, length)
    else copyTo((this.bytes = new Uint8Array(length)))
  }
}
