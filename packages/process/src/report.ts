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

/** Writes to descriptor 2, whole; gives up when nobody reads it any more. */
export function writeStderr(text: string): void {
  try {
    writeWhole(2, Buffer.from(text))
  } catch {
    // There is nowhere left to say so.
  }
}

/** Writes all bytes, however full the pipe is. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.byteLength;) {
    try {
      written += writeSync(fd, bytes, written)
    } catch (error) {
      // Another holder of the pipe made it non-blocking, and it is full.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(clock, 0, 0, 1)
    }
  }
}

/** Nobody changes it; only the timeout ends a wait on it. */
const clock = new Int32Array(new SharedArrayBuffer(4))
