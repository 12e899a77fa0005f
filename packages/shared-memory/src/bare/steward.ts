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

const { memory, port } = workerData as { memory: Memory; port: MessagePort }
const words = new Int32Array(memory.control)
const books = new Int32Array(memory.books)
const kept = new Map<number, Kept>()
const replies = new Map<string, BroadcastChannel>()

/** SYNC: a port gives what was sent before it was closed, so of a thread that ends no child is missed. */
function listen(line: MessagePort): void {
  line.on('message', (added: NewLine) => {
    listen(added.port)
    added.port.on('close', () => end(added))
  })
}

/** A thread has ended, whether it had joined the session or not: somebody may wait for that alone. */
function end({ ticket, ended }: NewLine): void {
  leave(words, books, ticket, STEWARD)
  Atomics.store(ended, 0, 1)
  announceDeath(words)
  const name = replyChannel(memory.id, ticket)
  replies.get(name)?.close()
  replies.delete(name)
  // It may have died before it could say that an object had ended.
  for (const index of kept.keys()) forgetEnded(index)
}

function forgetEnded(index: number): void {
  const entry = entryWord(index)
  const isThere =
    Atomics.load(words, entry) < 0 &&
    Atomics.load(words, entry + ENTRY.generation) === kept.get(index)?.generation
  if (!isThere) kept.delete(index)
}

function serve(request: Request): void {
  if (request.kind === 'keep') {
    kept.set(request.index, { generation: request.generation, block: request.block })
  } else if (request.kind === 'ended') {
    forgetEnded(request.index)
  } else {
    const { index, generation, replyTo, done } = request
    let channel = replies.get(replyTo)
    if (channel === undefined) replies.set(replyTo, (channel = new BroadcastChannel(replyTo)))
    const found = kept.get(index)
    const block = found?.generation === generation ? found.block : undefined
    channel.postMessage({ block } satisfies Reply)
    // SYNC: the answer is in the channel of whoever this wakes.
    Atomics.store(done, 0, 1)
    Atomics.notify(done, 0)
  }
}

listen(port)
new BroadcastChannel(stewardChannel(memory.id)).onmessage = (event) =>
  serve((event as { data: Request }).data)
Atomics.store(books, BOOK.ready, 1)
Atomics.notify(books, BOOK.ready)
