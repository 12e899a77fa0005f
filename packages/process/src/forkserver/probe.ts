/**
 * Whether a copy of a fork server is a whole process: what it cannot do ends it with another exit code
 * than 0, or not at all.
 *
 * @module
 */
import { pbkdf2 } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Not there under `--jitless`; not in the types that we compile with either. */
const { WebAssembly: webAssembly } = globalThis as {
  WebAssembly?: { compile(bytes: Uint8Array): Promise<unknown> }
}
const EMPTY_MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])

/** Uses the event loop, the thread pool, the collector's and the compiler's threads. */
export async function probe(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1))
  await Promise.all([readFile('/proc/self/stat'), promisify(pbkdf2)('a', 'b', 1, 16, 'sha256')])
  // More than the part of the heap for new objects holds at first.
  let garbage: object[] = []
  for (let i = 0; i < 60_000; i++) {
    if (i % 1000 === 0) garbage = []
    garbage.push({ i })
  }
  await webAssembly?.compile(EMPTY_MODULE)
}
