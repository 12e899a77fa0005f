/**
 * Errors of a child on stderr, under its name.
 *
 * Written synchronously and whole: what follows is often the end of the process.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { inspect } from 'node:util'

/** The line above every report. */
export function header(name: string): string {
  return `Process ${name}:\n`
}

/** An uncaught error as Node shows it: the stack, the cause and own properties. */
export function describe(error: unknown): string {
  return error instanceof Error ? inspect(error) : `Uncaught ${inspect(error)}`
}

/** Writes an error under the name of its process to descriptor 2. */
export function reportError(name: string, error: unknown): void {
  writeStderr(`${header(name)}${describe(error)}\n`)
}

/** Writes to descriptor 2, however full its pipe is; gives up when nobody reads it any more. */
export function writeStderr(text: string): void {
  const bytes = Buffer.from(text)
  for (let written = 0; written < bytes.byteLength;) {
    try {
      written += writeSync(2, bytes, written)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Another holder of the pipe made it non-blocking.
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
      else if (code !== 'EINTR') return
    }
  }
}
