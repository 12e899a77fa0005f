/**
 * The standard output of a thread, which must not make the thread wait for its parent.
 *
 * Node sends it to the parent's event loop and keeps the thread alive until that has taken it: a
 * parent that blocks until the thread ends would wait for ever. So it goes straight to the
 * descriptors of the process; or, when the parent reads it (`stdio: 'pipe'`), to the parent's loop
 * without waiting for an answer.
 *
 * @module
 */
import { writeWhole } from './report.js'

/** Where a stream of a thread goes. */
export type ThreadStream = 'inherit' | 'ignore' | 'pipe'

/** What a Writable is asked to write at once. */
type Chunks = readonly { chunk: Uint8Array | string; encoding: BufferEncoding }[]

/** Writes chunks, then calls back. */
type Write = (chunks: Chunks, callback: (error?: Error | null) => void) => void

/** Redirects a standard stream of this thread. */
export function redirect(name: 'stdout' | 'stderr', to: ThreadStream): void {
  // Not another stream in its place: Node's messages from the parent go to this one.
  const stream = process[name]
  const send = stream._writev as Write
  stream._writev = to === 'pipe' ? postTo(stream, send) : writeTo(to, name === 'stdout' ? 1 : 2)
}

function writeTo(to: ThreadStream, fd: number): Write {
  return (chunks, callback) => {
    try {
      if (to === 'inherit') for (const chunk of chunks) writeWhole(fd, toBytes(chunk))
      callback()
    } catch (error) {
      callback(error as Error)
    }
  }
}

/** By Node's own way, which does not wait for an answer when the thread is exiting. */
function postTo(stream: object, send: Write): Write {
  const state = process as { _exiting?: boolean }
  return (chunks, callback) => {
    const exiting = state._exiting
    state._exiting = true
    try {
      send.call(stream, chunks, callback)
    } finally {
      state._exiting = exiting
    }
  }
}

function toBytes({ chunk, encoding }: Chunks[number]): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
}
