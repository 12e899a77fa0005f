/**
 * The part of the addon that named blocks need; `native/named.h` says why it is made so.
 *
 * @module
 */
import { unavailable } from './bare/unavailable.js'
import type { Native } from './native.js'
import { isBare, loadPlatform } from './platform.js'

/** One use of a block. Opaque; freed when neither it nor its buffer can be reached. */
export type NamedUse = object & { readonly brand: unique symbol }

export interface NamedNative {
  /**
   * Makes a block, all of it backed by memory, and names it; `folder` is the path's. Throws EEXIST when the name
   * is taken, ENOENT when the folder is gone.
   */
  namedCreate(folder: string, path: string, byteLength: number): NamedUse
  /** Becomes a user of a block; throws ENOENT when there is none that anybody uses. */
  namedOpen(path: string): NamedUse
  /** The block's memory. Once for each use; keep the use reachable as long as the buffer is. */
  namedView(use: NamedUse): ArrayBuffer
  /** Tells blocks apart that had one name after the other. */
  namedIdentity(use: NamedUse): number
  /** Makes this process a user until it ends, or the name is gone. */
  namedKeep(use: NamedUse): void
  /** Empties the buffer and ends the use; the last one takes the block's name away. */
  namedRelease(use: NamedUse, buffer: ArrayBuffer): void
  /** Takes this very block's name away; throws ENOENT when it has none any more. Works after the release, too. */
  namedUnlink(use: NamedUse): void
  /** Removes the block of a path if nobody uses it, and the folder if it is empty then. */
  namedSweep(path: string): boolean
}

/** Loads the addon; throws where there is none, for names are known to the system's files. */
export function namedNative(): NamedNative {
  if (isBare()) {
    throw unavailable(
      'A SharedMemory cannot have a name that others open',
      'Leave the name out, and send the object itself to the threads that are to use it',
    )
  }
  return loadPlatform() as Native & NamedNative
}
