/**
 * Finds the text files of a directory.
 *
 * When they are more than a limit it takes an even sample of them, the same one each time.
 *
 * @module
 */
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The largest file taken: no process is to be busy with one for long after the others have ended, or after Ctrl-C. */
const MOST_BYTES = 128 * 1024

export interface Texts {
  /** Sorted. */
  paths: string[]
  /** Of these files together. */
  bytes: number
  foundFiles: number
  foundBytes: number
  /** Files and directories that could not be read. */
  unreadable: number
}

interface Found {
  path: string
  bytes: number
}

export async function findTexts(directory: string, limit: number): Promise<Texts> {
  const found: Found[] = []
  let unreadable = 0
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      try {
        if (entry.isDirectory()) await walk(path)
        if (entry.isFile()) found.push({ path, bytes: (await stat(path)).size })
      } catch {
        unreadable++
      }
    }
  }
  await walk(directory)
  found.sort((a, b) => (a.path < b.path ? -1 : 1))

  const taken: Found[] = []
  for (const file of sample(found, limit)) {
    try {
      if (await isText(file.path)) taken.push(file)
    } catch {
      unreadable++
    }
  }
  return {
    paths: taken.map(({ path }) => path),
    bytes: total(taken),
    foundFiles: found.length,
    foundBytes: total(found),
    unreadable,
  }
}

/** Takes every second file, or third, or so: as many as have `limit` bytes together, more or less. */
function* sample(found: readonly Found[], limit: number): Generator<Found> {
  const fitting = found.filter(({ bytes }) => bytes > 0 && bytes <= MOST_BYTES)
  const part = Math.min(1, limit / total(fitting))
  let due = 0
  for (const file of fitting) {
    due += part
    if (due < 1) continue
    due -= 1
    yield file
  }
}

/** No zero among its first bytes: git goes by the same. */
async function isText(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8000))
    return !buffer.subarray(0, bytesRead).includes(0)
  } finally {
    await file.close()
  }
}

function total(files: readonly Found[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}
