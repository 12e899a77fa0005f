/**
 * The session's data pages, as bytes.
 *
 * The file may be larger than an ArrayBuffer can be on every Node, so pages are
 * reached through windows of 64 MiB; a run that crosses a window gets a view of
 * its own. User code never gets a view that shows more than its own bytes.
 *
 * @module
 */
import type { Arena } from './arena.js'
import { CONTROL_BYTES, PAGE_BYTES } from './layout.js'

/** Shows bytes of the session's file. */
export interface MapBytes {
  view(byteOffset: number, byteLength: number): ArrayBuffer
  sharedView(byteOffset: number, byteLength: number): ArrayBufferLike
  /** What there is instead of the two where a part cannot be shown as a buffer. */
  bytes?(byteOffset: number, byteLength: number): Uint8Array
}

const WINDOW_PAGES = 1024

/** What everybody needs of the file at once. */
export interface Shown {
  /** The control region. */
  readonly words: Int32Array
  /** The first window, where the rings are; not there where a part cannot be shown as a buffer. */
  readonly window: Uint8Array | undefined
}

/**
 * Shows the control region and the first window as one buffer: an engine that takes it for memory that a collection might
 * free (Node 20) collects once, when it gets it, and not again when a message is first sent or received.
 */
export function showStart(map: MapBytes & { byteLength(): number }): Shown {
  if (map.bytes !== undefined) {
    return { words: new Int32Array(map.sharedView(0, CONTROL_BYTES)), window: undefined }
  }
  const end = Math.min(map.byteLength(), CONTROL_BYTES + WINDOW_PAGES * PAGE_BYTES)
  const buffer = map.sharedView(0, end)
  return {
    words: new Int32Array(buffer, 0, CONTROL_BYTES >>> 2),
    window: new Uint8Array(buffer, CONTROL_BYTES),
  }
}

export class Pages {
  readonly arena: Arena
  readonly count: number
  readonly #map: MapBytes
  readonly #windows: Uint8Array[] = []
  readonly #windowWords: Int32Array[] = []

  /** @param first the first window, where there is one already. */
  constructor(arena: Arena, count: number, map: MapBytes, first?: Uint8Array) {
    this.arena = arena
    this.count = count
    this.#map = map
    if (first !== undefined) this.#windows.push(first)
  }

  /** The bytes of the window that a page lies in; the page starts there at `offset(page)`. */
  window(page: number): Uint8Array {
    const index = Math.floor(page / WINDOW_PAGES)
    return (this.#windows[index] ??= this.#openWindow(index))
  }

  /** The same window as 32-bit words. */
  windowWords(page: number): Int32Array {
    const index = Math.floor(page / WINDOW_PAGES)
    return (this.#windowWords[index] ??= wordsOf(this.window(page)))
  }

  /** Where a page starts in its window, in bytes. */
  offset(page: number): number {
    return (page % WINDOW_PAGES) * PAGE_BYTES
  }

  /** The bytes of a run of pages, for the core's own use. */
  bytes(first: number, byteLength: number): Uint8Array {
    const start = this.offset(first)
    if (start + byteLength <= WINDOW_PAGES * PAGE_BYTES) {
      return this.window(first).subarray(start, start + byteLength)
    }
    return this.#show(first, byteLength)
  }

  /** A copy of the bytes of a run, without a window: 64 MB that the engine takes for garbage to be make it collect (Node 20). */
  copy(first: number, byteLength: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#apart(first, byteLength))
  }

  /** Writes to the start of a run, without a window as well. */
  write(first: number, bytes: Uint8Array): void {
    this.#apart(first, bytes.byteLength).set(bytes)
  }

  /** Clears the start of a run, without a window as well. */
  clear(first: number, byteLength: number): void {
    this.#apart(first, byteLength).fill(0)
  }

  /** An ArrayBuffer over just these bytes: what user code may hold. */
  buffer(first: number, byteLength: number): ArrayBuffer {
    return this.#map.view(CONTROL_BYTES + first * PAGE_BYTES, byteLength)
  }

  #apart(first: number, byteLength: number): Uint8Array {
    const offset = CONTROL_BYTES + first * PAGE_BYTES
    return (
      this.#map.bytes?.(offset, byteLength) ?? new Uint8Array(this.#map.view(offset, byteLength))
    )
  }

  #openWindow(index: number): Uint8Array {
    const first = index * WINDOW_PAGES
    const pages = Math.min(WINDOW_PAGES, this.count - first)
    return this.#show(first, pages * PAGE_BYTES)
  }

  #show(first: number, byteLength: number): Uint8Array {
    const offset = CONTROL_BYTES + first * PAGE_BYTES
    return (
      this.#map.bytes?.(offset, byteLength) ??
      new Uint8Array(this.#map.sharedView(offset, byteLength))
    )
  }
}

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): Int32Array {
  return new Int32Array(buffer, byteOffset, byteLength >>> 2)
}

/**
 * How many of the first pages are kept for rings, which hold one each for as long as they live: were those anywhere, a
 * long message might never find room next to each other.
 */
export function keptPages(count: number): number {
  return Math.max(2, count >>> 6)
}

/** How many pages hold that many bytes. */
export function pagesFor(byteLength: number): number {
  return Math.max(1, Math.ceil(byteLength / PAGE_BYTES))
}
