/**
 * Blocks for threads alone: what a `SharedMemory` is made of where there is no addon.
 *
 * An array of bytes, which travels by itself, and a word that says whether the block was unlinked. Its name nobody
 * can open: it is there because programs show it.
 *
 * @module
 */
import { ORIGIN } from '../origin.js'
import { SharedArray } from '../shared-array.js'
import { OWNED } from '../shared-layout.js'
import { Attachment, type Origin } from '../shared-object.js'

/** The bytes of a block. */
export class BlockBytes extends SharedArray<Uint8Array> {
  constructor(size: number | Attachment) {
    if (size instanceof Attachment) super(size)
    else super(Uint8Array, size)
  }

  /** Whether it was unlinked, here or elsewhere. */
  get isUnlinked(): boolean {
    return Atomics.load(this.session.words, this.#word) !== 0
  }

  /** False when that was done before. */
  unlink(): boolean {
    return Atomics.compareExchange(this.session.words, this.#word, 0, 1) === 0
  }

  /** @internal */
  protected override origin(): Origin {
    return { module: ORIGIN, name: 'BlockBytes' }
  }

  get #word(): number {
    return this.handle.base + OWNED.value
  }
}

/** One use of a block. Its bytes are held until it is released and the block was unlinked: that works after the release, too. */
export class UnnamedUse {
  readonly bytes: BlockBytes
  #isReleased = false
  #isUnlinked = false

  constructor(bytes: BlockBytes) {
    this.bytes = bytes
  }

  /** Whether it was unlinked, here or elsewhere. */
  get isUnlinked(): boolean {
    return this.#isUnlinked || this.bytes.isUnlinked
  }

  release(): void {
    this.#isReleased = true
    if (this.isUnlinked) this.#end()
  }

  /** False when that was done before. */
  unlink(): boolean {
    if (this.#isUnlinked) return false
    const isFirst = this.bytes.unlink()
    if (this.#isReleased) this.#end()
    return isFirst
  }

  /** From here on its words may be another's. */
  #end(): void {
    this.#isUnlinked = true
    this.bytes.close()
  }
}
