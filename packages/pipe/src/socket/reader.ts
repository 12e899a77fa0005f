/**
 * The bytes that come over a socket of Node's, for those who wait as promises and for those who block.
 *
 * Node reads ahead a little from its event loop. Whoever takes bytes takes first what Node has, then
 * reads from the descriptor itself. That keeps the order: Node reads only between jobs, and hands
 * over at once what it has read.
 *
 * @module
 */
import { readSync } from 'node:fs'
import type { Socket } from 'node:net'
import { PENDING, type Pending, PollState, pollDescriptor } from '@mp/shared-memory/internal'
import { EOFError } from '../errors.js'
import { Line } from './line.js'

/** How much is read at once. */
const PIECE = 1 << 18
/** How much of what nobody has received yet is read to see whether the end of file is behind it. */
const LOOK_AHEAD = 1 << 20

const scratch = new Uint8Array(PIECE)

interface HasHandle {
  readonly _handle: { readonly fd: number } | null
}

/** The descriptor of a socket; -1 when it is closed. */
export function descriptorOf(socket: Socket): number {
  return (socket as unknown as HasHandle)._handle?.fd ?? -1
}

/** The name of an error of the system. */
export function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code
}

/**
 * Whether an error says that the other end is no more: it was closed or died, maybe with messages of ours unread
 * (ECONNRESET), or its machine does not answer any more (ETIMEDOUT).
 */
export function isGone(code: string | undefined): boolean {
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ETIMEDOUT' || code === 'ENOTCONN'
}

export class SocketReader {
  readonly socket: Socket
  /** Those who wait for bytes. */
  readonly line: Line
  /** How many lines at this socket are not empty. */
  #busyLines = 0
  /** Whether the event loop stays alive for those in the lines. */
  #isHeld: boolean
  /** What a socket that is being destroyed still had. */
  readonly #saved: Uint8Array[] = []
  #isOver = false
  #isClosed = false

  /** @param isHeld whether the event loop stays alive while somebody waits; `hold` can say so later. */
  constructor(socket: Socket, isHeld: boolean) {
    this.socket = socket
    this.#isHeld = isHeld
    this.line = this.newLine()
    socket.unref()
    const serve = (): void => this.line.serve()
    socket.on('readable', serve)
    socket.on('end', serve)
    socket.on('close', () => {
      this.#isOver = true
      serve()
    })
    // A failure is the end, for readers and writers; each notices by itself.
    socket.on('error', serve)
    this.#saveTheRest()
  }

  /** A line at this socket. */
  newLine(): Line {
    return new Line((isBusy) => {
      this.#busyLines += isBusy ? 1 : -1
      if (this.#isHeld && this.#busyLines > 0) this.socket.ref()
      else this.socket.unref()
    })
  }

  /** From now on the event loop stays alive while somebody waits; nobody does yet. */
  hold(): void {
    this.#isHeld = true
  }

  /** Whether nothing comes any more. */
  get isOver(): boolean {
    return this.#isOver && this.#saved.length === 0
  }

  /**
   * Takes the next bytes that are there, without waiting; null when there are none now, or none any more.
   *
   * They are valid until the next call.
   *
   * @param most how many to take from the kernel; Node may have more.
   */
  piece(most: number = PIECE): Uint8Array | null {
    return this.#saved.shift() ?? (this.socket.read() as Buffer | null) ?? this.#readDirectly(most)
  }

  /** Whether there are bytes now. */
  hasMore(): boolean {
    const piece = this.piece(1)
    if (piece !== null) this.#saved.unshift(piece.slice())
    return piece !== null
  }

  /**
   * Whether the other end has hung up, as far as reading ahead can tell: for where the system cannot be asked. More
   * than a megabyte that nobody has received hides it.
   */
  seesEnd(): boolean {
    let ahead = this.#saved.reduce((sum, { byteLength }) => sum + byteLength, 0)
    while (!this.#isOver && ahead < LOOK_AHEAD) {
      const piece = (this.socket.read() as Buffer | null) ?? this.#readDirectly(PIECE)
      if (piece === null) break
      this.#saved.push(piece.slice())
      ahead += piece.byteLength
      // Node will not tell of it any more.
      queueMicrotask(() => this.line.serve())
    }
    return this.#isOver
  }

  /**
   * Waits for exactly so many bytes; takes no more than these.
   *
   * @param check sees what has come so far, and may throw.
   */
  async exactly(
    byteLength: number,
    check: (start: Uint8Array) => void,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const bytes = new Uint8Array(byteLength)
    let have = 0
    const attempt = (): true | Pending => {
      while (have < byteLength) {
        const piece = this.piece(byteLength - have)
        if (piece === null) {
          if (this.isOver) throw new EOFError()
          return PENDING
        }
        const taken = piece.subarray(0, byteLength - have)
        bytes.set(taken, have)
        have += taken.byteLength
        if (taken.byteLength < piece.byteLength) {
          this.#saved.unshift(piece.slice(taken.byteLength))
        }
        check(bytes.subarray(0, have))
      }
      return true
    }
    await this.line.wait(attempt, { timeoutMs: Infinity, signal })
    return bytes
  }

  /** Lets Node write it; done when that is done, or will never be. */
  say(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      // Who has hung up is noticed by whoever waits for the answer, which may have come before that.
      this.socket.write(bytes, () => resolve())
    })
  }

  /** Nobody wants the rest. */
  close(): void {
    this.#isClosed = true
    this.#saved.length = 0
    this.#isOver = true
  }

  #readDirectly(most: number): Uint8Array | null {
    const fd = descriptorOf(this.socket)
    if (fd < 0) this.#isOver = true
    if (this.#isOver) return null
    if (pollDescriptor(fd, PollState.readable, 0) === 0) return null
    try {
      const length = readSync(fd, scratch, 0, most, null)
      if (length > 0) return scratch.subarray(0, length)
    } catch (error) {
      const code = errnoOf(error)
      if (code === 'EAGAIN') return null
      if (!isGone(code)) throw error
    }
    this.#isOver = true
    return null
  }

  /**
   * Node destroys a socket when a write fails, also if the other end has sent something before it was closed.
   * What is there is saved then; there cannot come more of it.
   */
  #saveTheRest(): void {
    const { socket } = this
    const destroy = socket._destroy.bind(socket)
    socket._destroy = (error, callback) => {
      while (!this.#isClosed) {
        const piece = (socket.read() as Buffer | null) ?? this.#readDirectly(PIECE)
        if (piece === null) break
        this.#saved.push(piece.slice())
      }
      destroy(error, callback)
    }
  }
}
