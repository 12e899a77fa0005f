/**
 * A task: what the pool keeps of a call until it is settled.
 *
 * @module
 */
import { type MessageRing, Notes, type PutResult, isShortMessage } from '@mp/shared-memory/internal'
import type { SentFunction } from './functions.js'
import { TASK_HEAD, writeTaskHead } from './messages.js'
import type { CheckedTaskOptions } from './options.js'
import { NO_SLAB, SLAB_HEAD, type Slab, roundUp, slabFor } from './slab.js'

/** Who gets the outcome of a task; called once, and does not throw. */
export interface Receiver {
  resolve(value: unknown): void
  reject(error: unknown): void
  /** Called just before one of these when the task has run: for how long, in milliseconds. */
  timed?(runMs: number): void
  /** Whether `resolve` calls no code of users before it returns. */
  readonly isQuiet?: boolean
}

/** What a task is made of: mode, function, what that is applied to, how many items that is, options, receiver. */
export type NewTask = [
  mode: number,
  fn: SentFunction,
  payload: readonly unknown[],
  items: number,
  options: CheckedTaskOptions,
  receiver: Receiver,
]

/**
 * A task on its way. It takes what the encoder writes, and the notes of the handles in it.
 *
 * A million of them may wait, so it has no field more than it needs.
 */
export class Task extends Notes {
  readonly mode: number
  readonly fn: SentFunction
  /** How many items it is for; 1 for a call. */
  readonly items: number
  readonly options: CheckedTaskOptions
  readonly receiver: Receiver
  /** Length of what goes to a worker. */
  byteLength = 0
  retriesLeft: number
  /** Its number in the ring of tasks; -1 while it is not there. */
  number = -1
  isSettled = false
  /** Undone when it is settled. */
  cleanUp: (() => void) | undefined
  #slab: Slab = NO_SLAB
  #offset = 0

  constructor(
    mode: number,
    fn: SentFunction,
    items: number,
    options: CheckedTaskOptions,
    receiver: Receiver,
  ) {
    // It is decoded again when its worker dies.
    super(true)
    this.mode = mode
    this.fn = fn
    this.items = items
    this.options = options
    this.receiver = receiver
    this.retriesLeft = options.retries
  }

  get priority(): number {
    return this.options.priority
  }

  /** What it is, for messages. */
  get label(): string {
    const { name } = this.fn
    return name === '' ? 'an anonymous function' : `${name}()`
  }

  /** Whether its message is still there when it has been put. */
  get canPutAgain(): boolean {
    return true
  }

  /** When it was submitted, on the clock that all processes share; gone when it is settled. */
  get submittedAt(): number {
    return this.#slab.numbers[(this.#offset - SLAB_HEAD) >>> 3]
  }

  set submittedAt(now: number) {
    this.#slab.numbers[(this.#offset - SLAB_HEAD) >>> 3] = now
  }

  /** What goes to a worker; gone when it is settled. */
  get message(): Uint8Array {
    return this.#slab.bytes.subarray(this.#offset, this.#offset + this.byteLength)
  }

  /** Puts what goes to a worker into a ring; it is gone when the task is settled. */
  putInto(ring: MessageRing): PutResult {
    const { byteLength } = this
    if (isShortMessage(byteLength)) {
      return ring.tryPutWords(this.#slab.words, this.#offset >>> 2, byteLength)
    }
    return ring.tryPutOne(this.message, byteLength)
  }

  /** Lets go of what only an unsettled task needs. */
  forget(): void {
    this.#slab = NO_SLAB
    this.cleanUp?.()
    this.cleanUp = undefined
  }

  /** What the encoder calls, once, with what the function is applied to. */
  write(bytes: Uint8Array, length: number, copyTo?: (target: Uint8Array) => void): void {
    this.byteLength = TASK_HEAD + length
    const slab = slabFor(this.byteLength)
    const offset = slab.used
    slab.used = offset + roundUp(this.byteLength) + SLAB_HEAD
    this.#slab = slab
    this.#offset = offset
    writeTaskHead(slab.words, offset >>> 2, this.mode, this.fn.reference)
    const target = slab.bytes
    const at = offset + TASK_HEAD
    if (copyTo !== undefined) copyTo(target.subarray(at, at + length))
    else if (length > SHORT) target.set(bytes.subarray(0, length), at)
    else for (let i = 0; i < length; i++) target[at + i] = bytes[i]
  }
}

/** Up to so many bytes, a loop takes less time than making the view that `set` needs. */
const SHORT = 64
