/**
 * The standard streams of the server: whatever writes to them while modules are loaded must not open
 * the real ones, whose kind Node finds out once, and which are others in each child.
 *
 * @module
 */
import { Readable, Writable } from 'node:stream'
import { writeWhole } from '../report.js'

const NAMES = ['stdin', 'stdout', 'stderr'] as const

/** Puts others in their place; returns what a copy calls. */
export function guardStreams(): () => void {
  const originals = NAMES.map((name) => Object.getOwnPropertyDescriptor(process, name))
  for (const [fd, name] of NAMES.entries()) {
    let stream: object | undefined
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get: () => (stream ??= fd === 0 ? Readable.from([]) : writerTo(fd)),
    })
  }
  return () => {
    for (const [fd, name] of NAMES.entries()) {
      Object.defineProperty(process, name, originals[fd] as PropertyDescriptor)
    }
  }
}

/** Goes on working in a child, for whoever has kept it. */
function writerTo(fd: number): Writable {
  return new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _encoding, done) {
      try {
        writeWhole(fd, chunk)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
}
