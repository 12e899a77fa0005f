/**
 * Whether a copy of a fork server is a whole process: what it cannot do ends it with another exit code
 * than 0, or not at all.
 *
 * @module
 */
import { readFile } from 'node:fs'
import { promisify } from 'node:util'

/** Not there under `--jitless`; not in the types that we compile with either. */
const { WebAssembly: webAssembly } = globalThis as {
  WebAssembly?: { compile(bytes: Uint8Array): Promise<unknown> }
}
const EMPTY_MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])

/** Uses the event loop, the thread pool, the collector's and the compiler's threads: all at once, since children wait for it. */
export async function probe(): Promise<void> {
  const { pbkdf2 } = process.getBuiltinModule('node:crypto')
  const all = Promise.all([
    new Promise((resolve) => setTimeout(resolve, 1)),
    promisify(readFile)('/proc/self/stat'),
    promisify(pbkdf2)('a', 'b', 1, 16, 'sha256'),
    webAssembly?.compile(EMPTY_MODULE),
  ])
  // More than the part of the heap for new objects holds at first.
  let garbage: unknown[] = []
  for (let i = 0; i < 1_600; i++) {
    if (i % 50 === 0) garbage = []
    garbage.push(SAMPLE.slice())
  }
  await all
}

/** An array of so many numbers takes a kilobyte. */
const SAMPLE = Array.from({ length: 128 }, (_, i) => i)
