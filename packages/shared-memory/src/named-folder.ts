/**
 * Where named blocks are: a folder of this user's in the first place that will take them.
 *
 * Whoever looks for a name looks in all places. Every look removes the blocks
 * that nobody uses: what the dead have left lasts until the next start.
 *
 * @module
 */
import { type Stats, lstatSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MultiprocessingError, OutOfSharedMemoryError } from './errors.js'
import { type NamedNative, type NamedUse, namedNative } from './named-native.js'

/** Marks what may be swept. */
const SUFFIX = '.block'

/** How often to try while a block of the name is just being removed, or its folder; each lasts microseconds. */
const TRIES = 200
const PAUSE_MS = 5

/** Errors that say that a place is full, or that a limit of this process does not allow the size. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EFBIG', 'ENOMEM', 'E122'])

/** Makes a block under a name that nobody uses; null when somebody does. */
export function createNamed(name: string, byteLength: number): NamedUse | null {
  const native = namedNative()
  const own = folders().filter(isOwn)
  for (const folder of own) sweep(native, folder)
  // Whoever made it may have found another place to be the best.
  if (own.some((folder) => isUsed(native, pathOf(folder, name)))) return null
  const failures: { folder: string; error: NodeJS.ErrnoException }[] = []
  for (const folder of folders()) {
    try {
      return createIn(native, folder, name, byteLength)
    } catch (error) {
      failures.push({ folder, error: error as NodeJS.ErrnoException })
      removeIfEmpty(folder)
    }
  }
  const reasons = failures.map(({ folder, error }) => `${folder}: ${error.message}`).join('; ')
  if (failures.some(({ error }) => FULL.has(String(error.code)))) {
    throw new OutOfSharedMemoryError(
      `There is no room for a SharedMemory of ${byteLength} bytes; set MP_SHARED_MEMORY_DIR to a folder ` +
        `that has it, best of a tmpfs (${reasons})`,
    )
  }
  throw new MultiprocessingError(
    'ERR_MP_NO_FOLDER',
    `No folder can hold a SharedMemory; set MP_SHARED_MEMORY_DIR to one that can (${reasons})`,
  )
}

/** Opens the block of a name; null when there is none. */
export function openNamed(name: string): NamedUse | null {
  const native = namedNative()
  for (const folder of folders().filter(isOwn)) {
    sweep(native, folder)
    try {
      return native.namedOpen(pathOf(folder, name))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  return null
}

function createIn(
  native: NamedNative,
  folder: string,
  name: string,
  byteLength: number,
): NamedUse | null {
  const path = pathOf(folder, name)
  for (let n = 0; ; n++) {
    ensureOwn(folder)
    try {
      return native.namedCreate(folder, path, byteLength)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') {
        if (isUsed(native, path) || n === TRIES) return null
      } else if (code !== 'ENOENT' || n === TRIES) {
        // ENOENT: somebody who removed the last block in it has removed the folder, too.
        throw error
      }
      if (n > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
    }
  }
}

/** Whether a block of that path is alive; one that is being removed, or is dead, is not. */
function isUsed(native: NamedNative, path: string): boolean {
  try {
    if (native.namedSweep(path)) return false
    const use = native.namedOpen(path)
    native.namedRelease(use, native.namedView(use))
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** This user's folders for blocks, best first. They need not exist. */
function folders(): string[] {
  const { MP_SHARED_MEMORY_DIR, XDG_RUNTIME_DIR } = process.env
  const places = [MP_SHARED_MEMORY_DIR, XDG_RUNTIME_DIR, '/dev/shm', tmpdir()]
  const named = places.filter((place) => place !== undefined && place !== '')
  return [...new Set(named.map((place) => join(place!, `mp-${process.geteuid!()}`)))]
}

/** Makes the folder if it is not there, and makes sure that it is nobody else's. */
function ensureOwn(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  if (!isOwn(folder)) {
    throw new MultiprocessingError(
      'ERR_MP_NO_FOLDER',
      'it is there, but it is no folder that only this user can enter',
    )
  }
}

/** Whether it is a folder that only this user can enter: where all may write, others may have made it. */
function isOwn(folder: string): boolean {
  let status: Stats | undefined
  try {
    status = lstatSync(folder, { throwIfNoEntry: false })
  } catch (error) {
    // XDG_RUNTIME_DIR may be another user's: then what is in it is nobody's business.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return false
    throw error
  }
  return (
    status !== undefined &&
    status.isDirectory() &&
    status.uid === process.geteuid!() &&
    (status.mode & 0o077) === 0
  )
}

function pathOf(folder: string, name: string): string {
  return join(folder, name + SUFFIX)
}

/** Removes the blocks in the folder that nobody uses. */
function sweep(native: NamedNative, folder: string): void {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  for (const name of names) {
    if (!name.endsWith(SUFFIX)) continue
    try {
      native.namedSweep(join(folder, name))
    } catch (error) {
      // Somebody else was faster.
      if (!isMissing(error)) throw error
    }
  }
}

function removeIfEmpty(folder: string): void {
  if (!isOwn(folder)) return
  try {
    rmdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' && !isMissing(error)) throw error
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
