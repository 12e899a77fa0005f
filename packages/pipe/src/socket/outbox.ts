/**
 * The sending half of a connection over a socket.
 *
 * Bytes are written to the descriptor itself, as far as the kernel takes them, so a blocking call can
 * do it as well as an asynchronous one, and a message is sent when its last byte is written. When the
 * kernel has no room, Node is given the rest of the frame that is begun, or a NOP, and tells when that
 * is written. It is never given the byte that makes a message of it: so a message can be withdrawn
 * until it is sent, and one that was withdrawn is never received.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import {
  MultiprocessingError,
  PENDING,
  type Pending,
  PollState,
  TimeoutError,
  isBare,
  pollDescriptor,
} from '@mp/shared-memory/internal'
import { BrokenPipeError } from '../errors.js'
import { NOP } from './frames.js'
import type { Line } from './line.js'
import { Outgoing } from './outgoing.js'
import { type SocketReader, descriptorOf, errnoOf, isGone } from './reader.js'

const WRITABLE = PollState.writable | PollState.hungUp

/** How much one call writes at most before the event loop gets a turn. */
const TURN = 1 << 22

export class Outbox {
  readonly #reader: SocketReader
  readonly #line: Line
  /** In the order in which they go; withdrawn ones until what is begun of them is written. */
  readonly #queue: Outgoing[] = []
  /** Whether Node has bytes that it has not written yet. */
  #isNodeWriting = false
  #failure: Error | undefined

  constructor(reader: SocketReader) {
    this.#reader = reader
    this.#line = reader.newLine()
  }

  /** Sends a message, which must not change meanwhile; done when the kernel has all of it. */
  async send(message: Uint8Array, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const outgoing = new Outgoing(message)
    this.#queue.push(outgoing)
    const attempt = (): true | Pending => {
      this.#write()
      return outgoing.isDone ? true : PENDING
    }
    const abandon = (): void => this.#cancel(outgoing)
    if ((await this.#line.wait(attempt, { timeoutMs, signal, abandon })) === PENDING) {
      throw tooLate()
    }
  }

  /** `send`, blocking this thread until `deadline`, as `performance.now()` counts. */
  sendSync(message: Uint8Array, deadline: number): void {
    // What Node has is written by the event loop, which stands still.
    if (this.#isNodeWriting) {
      throw new MultiprocessingError(
        'ERR_MP_BUSY',
        'A message that send() has begun is still on its way; await it before sendSync()',
      )
    }
    const outgoing = new Outgoing(message)
    this.#queue.push(outgoing)
    try {
      while (!this.#writeDirectly(Infinity)) {
        const left = deadline - performance.now()
        if (left <= 0) throw tooLate()
        pollDescriptor(this.#descriptor(), WRITABLE, left)
      }
    } catch (error) {
      this.#cancel(outgoing)
      throw error
    }
  }

  /** Those who wait hear of it; nothing is sent any more. */
  fail(error: Error): void {
    this.#failure ??= error
    this.#line.serve()
  }

  /** Writes what can be written now; if that is not all, there will be another call. */
  #write(): void {
    if (this.#isNodeWriting) {
      if (this.#failure !== undefined) throw this.#failure
      return
    }
    if (this.#writeDirectly(TURN)) return
    const head = this.#queue[0]
    const bytes = head.unstoppable()
    if (bytes.byteLength > 0) head.wrote(bytes.byteLength)
    // One that was withdrawn may end so: nothing is done by its last byte.
    if (head.isDone) this.#queue.shift()
    this.#giveToNode(bytes.byteLength > 0 ? bytes : Uint8Array.of(NOP))
  }

  #giveToNode(bytes: Uint8Array): void {
    this.#isNodeWriting = true
    this.#reader.socket.write(bytes, (error) => {
      this.#isNodeWriting = false
      if (error) return this.fail(new BrokenPipeError())
      this.#line.serve()
      this.#writeWithdrawn()
    })
  }

  /** Nobody waits for those that were withdrawn. */
  #writeWithdrawn(): void {
    if (this.#queue.length === 0 || this.#failure !== undefined) return
    try {
      this.#write()
    } catch (error) {
      this.fail(error as Error)
    }
  }

  /**
   * Writes as much as the kernel takes.
   *
   * @returns whether that was all there is.
   */
  #writeDirectly(most: number): boolean {
    let left = most
    for (;;) {
      const fd = this.#descriptor()
      const head = this.#queue[0]
      if (head === undefined) return true
      if (left <= 0) return false
      const length = this.#hasHungUp(fd) ? -1 : tryWrite(fd, head.rest())
      if (length < 0) this.#break()
      if (length <= 0) return false
      head.wrote(length)
      left -= length
      if (head.isDone) this.#queue.shift()
    }
  }

  /** TCP would take what nobody reads any more, and say so the next time, or, while the other side ends, not even then. */
  #hasHungUp(fd: number): boolean {
    if (pollDescriptor(fd, PollState.hungUp, 0) !== 0) return true
    // Without the addon nobody can be asked; a Unix socket tells by itself.
    return isBare() && this.#reader.socket.remoteAddress !== undefined && this.#reader.seesEnd()
  }

  #descriptor(): number {
    if (this.#failure !== undefined) throw this.#failure
    const fd = descriptorOf(this.#reader.socket)
    if (fd < 0) this.#break()
    return fd
  }

  #break(): never {
    this.#failure ??= new BrokenPipeError()
    throw this.#failure
  }

  #cancel(outgoing: Outgoing): void {
    const at = this.#queue.indexOf(outgoing)
    if (at < 0) return
    if (!outgoing.isBegun || this.#failure !== undefined) {
      this.#queue.splice(at, 1)
      return
    }
    outgoing.withdraw()
    // Not now: a blocking call that failed has found that there is no room.
    setImmediate(() => this.#writeWithdrawn())
  }
}

/** @returns how much was written; -1 when nobody is there to read it. */
function tryWrite(fd: number, bytes: Uint8Array): number {
  try {
    return writeSync(fd, bytes)
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'EAGAIN') return 0
    if (isGone(code)) return -1
    throw error
  }
}

function tooLate(): TimeoutError {
  return new TimeoutError('The timeout passed before the message was sent')
}
