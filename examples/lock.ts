/**
 * Two processes append ten lines each to one file; a `Lock` keeps their lines together.
 *
 *     npx tsx lock.ts
 *
 * One holds the lock with `using`, the other with `acquire()` and `release()`.
 */
import { Lock, Process } from '@mp/multiprocessing'
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const second = 1000 * Number(process.env.MP_EXAMPLE_SCALE ?? 1)

async function appendLines(file: string, who: string): Promise<void> {
  for (let line = 1; line <= 10; line++) {
    await sleep(0.1 * second)
    await appendFile(file, `${who}: line ${line}\n`)
  }
}

async function withUsing(lock: Lock, file: string): Promise<void> {
  using _guard = await lock.acquire() // released at the end of the block, whatever happens in it
  await appendLines(file, 'with using')
}

async function withRelease(lock: Lock, file: string): Promise<void> {
  await lock.acquire()
  try {
    await appendLines(file, 'with release')
  } finally {
    lock.release()
  }
}

const lock = new Lock()
const directory = await mkdtemp(join(tmpdir(), 'mp-lock-'))
const file = join(directory, 'lines.txt')
try {
  const writers = [withUsing, withRelease].map(
    (target) => new Process({ target, args: [lock, file] }),
  )
  for (const writer of writers) writer.start()
  for (const writer of writers) await writer.join()
  process.stdout.write(await readFile(file, 'utf8'))
} finally {
  await rm(directory, { recursive: true })
}
