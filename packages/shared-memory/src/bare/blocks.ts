/**
 * The memory of arrays and blocks without the addon: each has a SharedArrayBuffer of its own.
 *
 * An object is made by one thread and received by others as an index and a generation. What they stand for the
 * steward knows: whoever sends a handle gives it the memory first. A receiver asks, and blocks until it is answered;
 * that takes some 100 µs, once for each object and thread.
 *
 * @module
 */
import { BroadcastChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { SLICE_MS } from '../agent.js'
import { MultiprocessingError } from '../errors.js'
import { BOOK } from './books.js'
import type { Memory } from './memory.js'
import { type Reply, type Request, replyChannel, stewardChannel } from './requests.js'

/** The steward answers in microseconds once it runs; a machine that is overloaded may take seconds to start it. */
const DEADLINE_MS = 20_000

/** Lets `@mp/pickle` copy such memory as it copies that of an ArrayBuffer, and refuse all other. */
const sharedBlock: unique symbol = Symbol.for('@mp/shared-memory/block') as never

export class Blocks {
  readonly #memory: Memory
  readonly #books: Int32Array
  readonly #who: number
  readonly #now: () => number
  /** Those of this thread, so that several objects over one are one. */
  readonly #known = new Map<number, { generation: number; ref: WeakRef<SharedArrayBuffer> }>()
  #requests: BroadcastChannel | undefined
  #replies: BroadcastChannel | undefined

  constructor(memory: Memory, who: number, now: () => number) {
    this.#memory = memory
    this.#books = new Int32Array(memory.books)
    this.#who = who
    this.#now = now
  }

  /** Makes the memory of an object that this thread has made: zeroes. Throws RangeError when it cannot be had. */
  make(index: number, generation: number, byteLength: number): SharedArrayBuffer {
    return this.#remember(index, generation, new SharedArrayBuffer(byteLength))
  }

  /** Before a handle of the object leaves this thread: from now on its receivers can find the memory. */
  keep(index: number, generation: number, block: SharedArrayBuffer): void {
    this.#ask({ kind: 'keep', index, generation, block })
  }

  /** The memory of an object that this thread has received. */
  find(index: number, generation: number): SharedArrayBuffer {
    const known = this.#known.get(index)
    const block = known?.generation === generation ? known.ref.deref() : undefined
    return block ?? this.#remember(index, generation, this.#fetch(index, generation))
  }

  /** The object of an entry has ended, by this thread's hand. */
  ended(index: number): void {
    // Before it listens it keeps nothing.
    if (Atomics.load(this.#books, BOOK.ready) === 1) this.#ask({ kind: 'ended', index })
  }

  #fetch(index: number, generation: number): SharedArrayBuffer {
    const replyTo = replyChannel(this.#memory.id, this.#who)
    if (this.#replies === undefined) {
      this.#replies = new BroadcastChannel(replyTo)
      this.#replies.unref()
    }
    const done = new Int32Array(new SharedArrayBuffer(4))
    this.#ask({ kind: 'find', index, generation, replyTo, done })
    this.#await(done, 0)
    const reply = receiveMessageOnPort(this.#replies as unknown as MessagePort)?.message as Reply
    if (reply.block !== undefined) return reply.block
    throw new MultiprocessingError(
      'ERR_MP_STALE_HANDLE',
      'The shared object behind this handle is gone: nobody held it any more',
    )
  }

  #ask(request: Request): void {
    if (this.#requests === undefined) {
      this.#await(this.#books, BOOK.ready)
      this.#requests = new BroadcastChannel(stewardChannel(this.#memory.id))
      this.#requests.unref()
    }
    this.#requests.postMessage(request)
  }

  /** Blocks until the word is not 0 any more. */
  #await(words: Int32Array, word: number): void {
    const deadline = this.#now() + DEADLINE_MS
    while (Atomics.load(words, word) === 0) {
      if (this.#now() > deadline) {
        throw new MultiprocessingError(
          'ERR_MP_NO_STEWARD',
          'The thread that keeps shared arrays does not answer: it could not start, or the thread that made the session has ended',
        )
      }
      sleep(words, word)
    }
  }

  #remember(index: number, generation: number, block: SharedArrayBuffer): SharedArrayBuffer {
    Object.defineProperty(block, sharedBlock, { value: true })
    this.#known.set(index, { generation, ref: new WeakRef(block) })
    return block
  }
}

/** One function call per slice: its entry is where the engine lets `terminate()` in. */
function sleep(words: Int32Array, word: number): void {
  Atomics.wait(words, word, 0, SLICE_MS)
}
