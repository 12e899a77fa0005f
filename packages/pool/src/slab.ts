/**
 * Memory for the messages of tasks that wait: many in one array, which takes a quarter of what an array for each does.
 *
 * A slab goes when the last of its tasks is gone, as any object does. Long messages get an array of their own, so that a
 * task that waits for long keeps little more than itself.
 *
 * @module
 */

const SLAB_BYTES = 65_536
const LONGEST = 1024

/** Memory for messages, as bytes and as words. */
export interface Slab {
  readonly bytes: Uint8Array
  readonly words: Int32Array
}

/** No memory. */
export const NO_SLAB: Slab = newSlab(0)

let slab = NO_SLAB
let used = 0

/** Where a message lies. */
export interface Room {
  slab: Slab
  /** In bytes; a multiple of eight. */
  offset: number
}

/** Finds room for `length` bytes; the answer is good until the next call. */
export function roomFor(length: number): Readonly<Room> {
  if (length > LONGEST) {
    room.slab = newSlab(length)
    room.offset = 0
    return room
  }
  if (used + length > slab.bytes.length) {
    slab = newSlab(SLAB_BYTES)
    used = 0
  }
  room.slab = slab
  room.offset = used
  used += roundUp(length)
  return room
}

const room: Room = { slab, offset: 0 }

function newSlab(length: number): Slab {
  const buffer = new ArrayBuffer(roundUp(length))
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) }
}

/** The next multiple of eight. */
function roundUp(length: number): number {
  return (length + 7) & ~7
}
