/**
 * A task with a long message, which is encoded into the pages that it travels in.
 *
 * Others keep their message in this process until it is put: it may wait for long, or be sent again. One that is put at
 * once and tried once is copied once.
 *
 * @module
 */
import {
  type Extent,
  type MessageRing,
  type PutResult,
  type Session,
  freeRun,
  needsExtent,
  takeExtent,
} from '@mp/shared-memory/internal'
import type { SentFunction } from './functions.js'
import { TASK_HEAD, writeTaskHead } from './messages.js'
import type { CheckedTaskOptions } from './options.js'
import { type Receiver, Task } from './task.js'

const NOTHING = new Uint8Array(0)
/** So many of its arguments or items are looked at. */
const LOOK_AT = 8

export class PagedTask extends Task {
  readonly #session: Session
  /** The message, until it is put. */
  #extent: Extent | undefined
  #isGone = false

  constructor(
    session: Session,
    mode: number,
    fn: SentFunction,
    items: number,
    options: CheckedTaskOptions,
    receiver: Receiver,
  ) {
    super(mode, fn, items, options, receiver)
    this.#session = session
  }

  override get canPutAgain(): boolean {
    return !this.#isGone
  }

  override write(bytes: Uint8Array, length: number, copyTo?: (target: Uint8Array) => void): void {
    const byteLength = TASK_HEAD + length
    // CRASH: until it is put the pages carry our tag, and the reaper frees them.
    const extent = needsExtent(byteLength) ? takeExtent(this.#session, byteLength) : null
    // It waits for room, or is refused, when it is put.
    if (extent === null) return super.write(bytes, length, copyTo)
    super.write(NOTHING, 0)
    this.byteLength = byteLength
    this.#extent = extent
    const { pages } = this.#session
    const { page } = extent
    writeTaskHead(pages.windowWords(page), pages.offset(page) >>> 2, this.mode, this.fn.reference)
    const target = pages.bytes(page, byteLength).subarray(TASK_HEAD)
    if (copyTo === undefined) target.set(bytes.subarray(0, length))
    else copyTo(target)
  }

  override putInto(ring: MessageRing): PutResult {
    if (this.#extent === undefined) return super.putInto(ring)
    const result = ring.tryPut([this.#extent])
    if (result === 'put') {
      this.#extent = undefined
      this.#isGone = true
    }
    return result
  }

  override forget(): void {
    super.forget()
    if (this.#extent === undefined) return
    freeRun(this.#session, this.#extent.page, this.#extent.pages)
    this.#extent = undefined
  }
}

/** Whether what a function is applied to is likely to make a long message. */
export function isLong(payload: readonly unknown[]): boolean {
  const { length } = payload
  for (let i = 0; i < length && i < LOOK_AT; i++) {
    const item = payload[i]
    if (typeof item === 'object' && ArrayBuffer.isView(item) && needsExtent(item.byteLength))
      return true
  }
  return false
}
