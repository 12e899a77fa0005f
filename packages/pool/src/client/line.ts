/**
 * A ring of messages between a pool and those who use it from other processes.
 *
 * The pool has one for what its clients ask, each client one for the answers.
 *
 * @module
 */
import {
  type Attachment,
  MessageRing,
  OBJECT_TYPE,
  type Origin,
  RING_SETS,
  RING_WORDS,
  RingClosedError,
  SharedObject,
  WAIT_SET_WORDS,
} from '@mp/shared-memory/internal'
import { ORIGIN } from '../origin.js'

// As many rings as objects of this type have; the second has no messages.
const RINGS = 2
const SETS = RINGS * RING_WORDS
const SET_COUNT = RINGS * RING_SETS

export class PoolLine extends SharedObject {
  readonly #ring: MessageRing

  constructor(attachment?: Attachment) {
    super(
      attachment,
      {
        type: OBJECT_TYPE.pool,
        words: SETS + SET_COUNT * WAIT_SET_WORDS,
        sets: SETS,
        setCount: SET_COUNT,
      },
      () => {},
    )
    const { base, index } = this.handle
    this.#ring = new MessageRing(this.session, base, base + SETS, index)
  }

  get ring(): MessageRing {
    return this.use(this.#ring)
  }

  /** Puts a message: at once if there is room, else when there is, and after those that wait for room already. */
  async send(message: Uint8Array): Promise<void> {
    const isFirst = !this.session.waiting.hasLine(this.ring.notFull)
    const result = isFirst ? this.ring.tryPutOne(message, message.length) : 'full'
    if (result === 'closed') throw new RingClosedError()
    if (result === 'put') return
    await this.session.waiting.async(this.ring.putting([message]), Infinity)
  }

  /** @internal */
  protected origin(): Origin {
    return { module: ORIGIN, name: 'PoolLine' }
  }
}
