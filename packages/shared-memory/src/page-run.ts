/**
 * Pages of this agent's that user code sees, through ArrayBuffers over just their bytes.
 *
 * The one thing to know: the pages are never another's while an ArrayBuffer shows them. They are
 * given back at once when all buffers could be emptied; else, also when nobody says that they are
 * done with, once the engine has collected the last backing store (`native/addon-run.c`). When this
 * agent dies its reaper frees them, for they carry its tag.
 *
 * @module
 */
import { AT, CONTROL_BYTES, HEADER, PAGE_BYTES } from './layout.js'
import type { NativeRun } from './native.js'
import type { Session } from './session.js'

export class PageRun {
  readonly first: number
  readonly count: number
  readonly #session: Session
  readonly #run: NativeRun
  readonly #buffers: ArrayBuffer[] = []

  /** @param first of `count` pages that carry this agent's tag. */
  constructor(session: Session, first: number, count: number) {
    this.first = first
    this.count = count
    this.#session = session
    const { native, agent } = session
    this.#run = native.runOpen(AT.pageTable + first, count, agent.tag, HEADER.memory)
  }

  /** An ArrayBuffer over some of the bytes, which nobody else gets; bytes without length have none to show. */
  buffer(start: number, byteLength: number): ArrayBuffer {
    if (byteLength === 0) return new ArrayBuffer(0)
    const offset = CONTROL_BYTES + this.first * PAGE_BYTES + start
    const buffer = this.#session.native.runView(this.#run, offset, byteLength)
    this.#buffers.push(buffer)
    return buffer
  }

  /** Empties one of the buffers, and all views of it. */
  detach(buffer: ArrayBuffer): void {
    this.#session.native.runDetach(this.#run, buffer)
  }

  /**
   * Empties all buffers.
   *
   * @returns whether the pages are the caller's now. If not, somebody has transferred a buffer: they are freed when
   * what it became is collected.
   */
  end(): boolean {
    for (const buffer of this.#buffers.splice(0)) this.detach(buffer)
    return this.#session.native.runClose(this.#run)
  }

  /** Empties all buffers and frees the pages. */
  release(): void {
    if (this.end()) freeRun(this.#session, this.first, this.count)
  }
}

/** Longer runs go back to the system when they are freed: 128 MiB. Shorter ones are kept, for they are soon used again. */
const KEPT_PAGES = 2048

/** Frees pages that carry this agent's tag. */
export function freeRun({ native, pages }: Session, first: number, count: number): void {
  if (count > KEPT_PAGES) native.punch(CONTROL_BYTES + first * PAGE_BYTES, count * PAGE_BYTES)
  pages.arena.free(first, count)
}
