/**
 * Puts results where the pool finds them.
 *
 * @module
 */
import { encodeTo } from '@mp/pickle'
import { Notes, collectNotes } from '@mp/shared-memory/internal'
import { RESULT_HEAD, STATUS, writeResultHead } from './messages.js'
import type { PoolCore } from './pool-core.js'
import { withoutUnsendable, whyUnsendable } from './unsendable.js'

/** Longer results are copied into shared memory without going through here. */
const SCRATCH_BYTES = 16_384

export class Reporter {
  /** When the task started, and how long it took. */
  startedAt = 0
  runMs = 0
  /** Time spent on encoding and decoding since the last result. */
  codecMs = 0
  readonly #core: PoolCore
  readonly #worker: number
  #scratch: Uint8Array<ArrayBuffer> | undefined = new Uint8Array(RESULT_HEAD + SCRATCH_BYTES)

  constructor(core: PoolCore, worker: number) {
    this.#core = core
    this.#worker = worker
  }

  /** Puts a result; a promise only when there is no room for it now. */
  report(number: number, status: number, value: unknown): Promise<void> | undefined {
    try {
      return this.#put(number, status, value)
    } catch (error) {
      // What it is about cannot be sent, or is too large; but that, and why, can be told.
      const isError = status === STATUS.error || status === STATUS.initializerError
      const told = isError ? withoutUnsendable(value, error) : whyUnsendable(error)
      return this.#put(number, isError ? status : STATUS.error, told)
    }
  }

  #put(number: number, status: number, value: unknown): Promise<void> | undefined {
    const before = this.#core.now()
    const message = new ResultMessage(this.#core, this.#scratch, (bytes) => {
      const { startedAt, runMs, codecMs } = this
      writeResultHead(bytes, { number, status, worker: this.#worker, startedAt, runMs, codecMs })
      this.codecMs = 0
    })
    // Encoding may run code of users, and that may wait.
    this.#scratch = undefined
    try {
      collectNotes(message, encodeTo, value)
    } finally {
      this.#scratch = message.scratch
    }
    this.codecMs += this.#core.now() - before
    return message.left === undefined ? undefined : this.#putLater(message.left, message)
  }

  async #putLater(bytes: Uint8Array, notes: Notes): Promise<void> {
    const { session, results } = this.#core
    try {
      await session.waiting.async(results.putting([bytes]), Infinity)
    } catch (error) {
      notes.cancel()
      throw error
    }
  }
}

/** What the encoder writes a result to. */
class ResultMessage extends Notes {
  readonly scratch: Uint8Array<ArrayBuffer>
  /** The message, when there was no room for it. */
  left: Uint8Array | undefined
  readonly #core: PoolCore
  readonly #writeHead: (bytes: Uint8Array) => void

  constructor(
    core: PoolCore,
    scratch: Uint8Array<ArrayBuffer> | undefined,
    writeHead: (bytes: Uint8Array) => void,
  ) {
    super()
    this.#core = core
    this.scratch = scratch ?? new Uint8Array(RESULT_HEAD + SCRATCH_BYTES)
    this.#writeHead = writeHead
  }

  write(bytes: Uint8Array, length: number, copyTo?: (target: Uint8Array) => void): void {
    const { results, handle } = this.#core
    // Before it is put: the pool may take it at once.
    this.give(handle.index)
    const all = RESULT_HEAD + length
    const compose = (target: Uint8Array): void => {
      this.#writeHead(target)
      if (copyTo !== undefined) copyTo(target.subarray(RESULT_HEAD))
      else target.set(length === bytes.length ? bytes : bytes.subarray(0, length), RESULT_HEAD)
    }
    if (all <= SCRATCH_BYTES) {
      compose(this.scratch)
      if (results.tryPutOne(this.scratch, all) !== 'full') return
    } else if (results.tryPutOne(this.scratch, all, compose) !== 'full') {
      return
    }
    this.left = new Uint8Array(all)
    compose(this.left)
  }
}
