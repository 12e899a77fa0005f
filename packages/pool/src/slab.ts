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

let slab = new Uint8Array(0)
let used = 0

/** Where a message lies. */
export interface Room {
  bytes: Uint8Array
  offset: number
}

/** Finds room for `length` bytes; the answer is good until the next call. */
export function roomFor(length: number): Readonly<Room> {
  if (length > LONGEST) {
    room.bytes = new Uint8Array(length)
    room.offset = 0
    return room
  }
  if (used + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES)
    used = 0
  }
  room.bytes = slab
  room.offset = used
  // The next one starts at a multiple of eight, too.
  used += (length + 7) & ~7
  return room
}

const room: Room = { bytes: slab, offset: 0 }
