/**
 * The standard output of a thread, straight to the descriptors of its process.
 *
 * Node would send it to the parent's event loop, and keep the thread alive until that has taken it:
 * a parent that blocks until the thread ends would wait for ever. Streams that the parent reads
 * (`stdio: 'pipe'`) do go that way.
 *
 * @module
 */
import { writeWhole } from './report.js'

/** Where a stream of a thread goes. */
export type ThreadStream = 'inherit' | 'ignore' | 'pipe'

/** What a Writable is asked to write at once. */
type Chunks = readonly { chunk: Uint8Array | string; encoding: BufferEncoding }[]

/** Redirects a standard stream of this thread, unless its parent reads it. */
export function redirect(name: 'stdout' | 'stderr', to: ThreadStream): void {
  if (to === 'pipe') return
  const fd = name === 'stdout' ? 1 : 2
  // Not another stream in its place: Node's messages from the parent go to this one.
  process[name]._writev = (chunks: Chunks, callback) => {
    try {
      if (to === 'inherit') for (const chunk of chunks) writeWhole(fd, toBytes(chunk))
      callback()
    } catch (error) {
      callback(error as Error)
    }
  }
}

function toBytes({ chunk, encoding }: Chunks[number]): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
}
