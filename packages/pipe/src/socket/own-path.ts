/**
 * The files of listeners: a private folder for one that was given no address, and who removes them.
 *
 * They go when the listener is closed, or when its thread ends in an orderly way. What a killed
 * process leaves behind is a socket that refuses connections.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MAX_PATH } from './address.js'

const PREFIX = 'mp-listener-'
const NAME = 'socket'
/** What `mkdtemp` adds. */
const RANDOM_LENGTH = 6

/** What to remove at the end of this thread. */
const cleaners = new Set<() => void>()

/** A path that nobody else has, in a folder that only this user can enter. */
export class OwnPath {
  readonly path: string
  readonly #folder: string

  constructor() {
    // mkdtemp makes folders with mode 0700.
    this.#folder = mkdtempSync(join(shortEnough(tmpdir()), PREFIX))
    this.path = join(this.#folder, NAME)
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Calls it at the end of this thread, unless what is returned is called before. */
export function cleanAtExit(clean: () => void): () => void {
  if (cleaners.size === 0) process.once('exit', cleanAll)
  cleaners.add(clean)
  return () => {
    if (cleaners.delete(clean) && cleaners.size === 0) process.removeListener('exit', cleanAll)
  }
}

/** Removes a file that may be gone already. */
export function removeFile(path: string): void {
  rmSync(path, { force: true })
}

function cleanAll(): void {
  for (const clean of cleaners) clean()
}

function shortEnough(folder: string): string {
  const path = join(folder, PREFIX, NAME)
  return Buffer.byteLength(path) + RANDOM_LENGTH <= MAX_PATH ? folder : '/tmp'
}
