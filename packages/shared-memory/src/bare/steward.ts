/**
 * The steward: a thread of its own that lives as long as the session, and is never busy for long.
 *
 * It hears of the end of threads by their lines. A line is a pair of message ports; the end of an environment closes
 * its ports once no JavaScript runs in it any more, however it ended and whatever its parent is doing. And it keeps
 * the memory of arrays for those who receive them: a SharedArrayBuffer can only be had from a thread.
 *
 * @module
 */
import { BroadcastChannel, type MessagePort, workerData } from 'node:worker_threads'
import { ENTRY, entryWord } from '../layout.js'
import { BOOK, STEWARD, announceDeath, leave } from './books.js'
import type { Memory } from './memory.js'
import { type NewLine, type Reply, type Request, replyChannel, stewardChannel } from './requests.js'

interface Kept {
  readonly generation: number
  readonly block: SharedArrayBuffer
}

/** The program of its thread. */
export function run(): void {
  const { memory, port } = workerData as { memory: Memory; port: MessagePort }
  new Steward(memory, port).open()
}

class Steward {
  readonly #id: string
  readonly #words: Int32Array
  readonly #books: Int32Array
  readonly #port: MessagePort
  readonly #kept = new Map<number, Kept>()
  readonly #replies = new Map<string, BroadcastChannel>()

  constructor(memory: Memory, port: MessagePort) {
    this.#id = memory.id
    this.#words = new Int32Array(memory.control)
    this.#books = new Int32Array(memory.books)
    this.#port = port
  }

  /** From here on it hears, and says so. */
  open(): void {
    this.#listen(this.#port)
    new BroadcastChannel(stewardChannel(this.#id)).onmessage = (event) =>
      this.#serve((event as { data: Request }).data)
    Atomics.store(this.#books, BOOK.ready, 1)
    Atomics.notify(this.#books, BOOK.ready)
  }

  /** SYNC: a port gives what was sent before it was closed, so of a thread that ends no child is missed. */
  #listen(line: MessagePort): void {
    line.on('message', (added: NewLine) => {
      this.#listen(added.port)
      added.port.on('close', () => this.#end(added))
    })
  }

  /** A thread has ended, whether it had joined the session or not: somebody may wait for that alone. */
  #end({ ticket, ended }: NewLine): void {
    leave(this.#words, this.#books, ticket, STEWARD)
    Atomics.store(ended, 0, 1)
    announceDeath(this.#words)
    const name = replyChannel(this.#id, ticket)
    this.#replies.get(name)?.close()
    this.#replies.delete(name)
    // It may have died before it could say that an object had ended.
    for (const index of this.#kept.keys()) this.#forgetEnded(index)
  }

  #forgetEnded(index: number): void {
    const entry = entryWord(index)
    const isThere =
      Atomics.load(this.#words, entry) < 0 &&
      Atomics.load(this.#words, entry + ENTRY.generation) === this.#kept.get(index)?.generation
    if (!isThere) this.#kept.delete(index)
  }

  #serve(request: Request): void {
    if (request.kind === 'keep') {
      this.#kept.set(request.index, { generation: request.generation, block: request.block })
    } else if (request.kind === 'ended') {
      this.#forgetEnded(request.index)
    } else {
      const { index, generation, replyTo, done } = request
      let channel = this.#replies.get(replyTo)
      if (channel === undefined) {
        this.#replies.set(replyTo, (channel = new BroadcastChannel(replyTo)))
      }
      const found = this.#kept.get(index)
      const block = found?.generation === generation ? found.block : undefined
      channel.postMessage({ block } satisfies Reply)
      // SYNC: the answer is in the channel of whoever this wakes.
      Atomics.store(done, 0, 1)
      Atomics.notify(done, 0)
    }
  }
}
