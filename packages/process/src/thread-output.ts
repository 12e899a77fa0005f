/**
 * The standard output of a thread, straight to the descriptors of its process.
 *
 * Node would send it to the parent's event loop, and keep the thread alive until that has taken it:
 * a parent that blocks until the thread ends would wait for ever. Streams that the parent reads
 * (`stdio: 'pipe'`) do go that way.
 *
 * @module
 */
import { Writable } from 'node:stream'
import { writeWhole } from './report.js'

/** Where a stream of a thread goes. */
export type ThreadStream = 'inherit' | 'ignore' | 'pipe'

/** Replaces a standard stream of this thread, unless its parent reads it. */
export function redirect(name: 'stdout' | 'stderr', to: ThreadStream): void {
  if (to === 'pipe') return
  const fd = name === 'stdout' ? 1 : 2
  let stream: Writable | undefined
  Object.defineProperty(process, name, {
    configurable: true,
    enumerable: true,
    get: () => (stream ??= open(to === 'inherit' ? fd : undefined)),
  })
}

function open(fd: number | undefined): Writable {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      try {
        if (fd !== undefined) writeWhole(fd, chunk)
        callback()
      } catch (error) {
        callback(error as Error)
      }
    },
  })
  return Object.assign(stream, { fd })
}
