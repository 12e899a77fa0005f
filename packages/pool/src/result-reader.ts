/**
 * Takes results out of the ring and decodes them.
 *
 * @module
 */
import { loads, loadsAsync, needsModules } from '@mp/pickle'
import { NOT_PRIMITIVE, loadPrimitive } from '@mp/pickle/internal'
import { LeasedBytes, PENDING, collectRevived, ownCopy } from '@mp/shared-memory/internal'
import { RESULT_HEAD, type ResultHead, STATUS, readResultHead } from './messages.js'
import type { PoolCore } from './pool-core.js'
import type { Task } from './task.js'

/** What a worker has said. */
export interface Outcome {
  readonly head: ResultHead
  /** The task that it is about, when somebody still wants its result. */
  readonly task: Task | undefined
  readonly isValue: boolean
  /** The value, or the error. */
  readonly value: unknown
  /** The value or error to come: it needs modules that have to be waited for. */
  readonly later: Promise<unknown> | undefined
  readonly byteLength: number
  /** Whether it is a value whose decoding runs no code of users. */
  readonly isPlain: boolean
  /** The message, when it is to be decoded later by `finish`. */
  readonly message: Uint8Array | undefined
  /** Time spent on decoding, in milliseconds. */
  readonly decodeMs: number
}

export class ResultReader {
  readonly #core: PoolCore
  readonly #taskOf: (number: number) => Task | undefined

  constructor(core: PoolCore, taskOf: (number: number) => Task | undefined) {
    this.#core = core
    this.#taskOf = taskOf
  }

  /** How many tasks want their result by lease. */
  leases = 0

  /** The next result; undefined when there is none. */
  next(): Outcome | undefined {
    const { results, session } = this.#core
    if (this.leases === 0) {
      const outcome = results.tryRead(this.#read)
      return outcome === PENDING ? undefined : outcome
    }
    const taken = results.tryClaim()
    if (taken === null) return undefined
    const leased = new LeasedBytes(session, taken.inPlace())
    // If nobody wants a lease of it, nothing of what was decoded lies in it.
    let outcome: OutcomeToBe | undefined
    const lease = leased.decode((bytes, place) => {
      const wanted = this.#begin(bytes, bytes.length)
      outcome = wanted
      if (!wanted.isValue || wanted.task?.options.lease !== true) {
        this.#decode(wanted, bytes)
        return undefined
      }
      // Where it lies is counted from the start of the message.
      return loads(bytes.subarray(RESULT_HEAD), {
        place: (start, byteLength) => place(start + RESULT_HEAD, byteLength),
      })
    })
    const { task, isValue } = outcome as unknown as OutcomeToBe
    if (isValue && task?.options.lease === true) (outcome as unknown as OutcomeToBe).value = lease
    else lease.release()
    return outcome
  }

  /** The next result; decoded only if that runs no code of users. */
  nextPlain(): Outcome | undefined {
    if (this.leases > 0) return undefined
    const outcome = this.#core.results.tryRead(this.#readPlain)
    return outcome === PENDING ? undefined : outcome
  }

  /** Decodes what `nextPlain` has left. */
  finish(outcome: Outcome): Outcome {
    const { message } = outcome
    if (message !== undefined) this.#decode(outcome, message)
    return outcome
  }

  readonly #read = (bytes: Uint8Array, length: number): Outcome => {
    const outcome = this.#begin(bytes, length)
    if (!this.#decodePlain(outcome, bytes)) this.#decode(outcome, bytes)
    return outcome
  }

  readonly #readPlain = (bytes: Uint8Array, length: number): Outcome => {
    const outcome = this.#begin(bytes, length)
    if (!this.#decodePlain(outcome, bytes)) outcome.message = ownCopy(bytes, length)
    return outcome
  }

  #decodePlain(outcome: OutcomeToBe, bytes: Uint8Array): boolean {
    const { isValue, task, byteLength } = outcome
    if (!isValue || task?.options.raw === true) return false
    const value = loadPrimitive(bytes, RESULT_HEAD, byteLength - RESULT_HEAD)
    if (value === NOT_PRIMITIVE) return false
    outcome.value = value
    outcome.isPlain = true
    return true
  }

  #begin(bytes: Uint8Array, length: number): OutcomeToBe {
    const head = readResultHead(bytes)
    const { number, status } = head
    const isOfTask = status === STATUS.value || status === STATUS.error || status === STATUS.dropped
    return {
      head,
      task: isOfTask ? this.#taskOf(number) : undefined,
      isValue: status === STATUS.value,
      value: undefined,
      later: undefined,
      byteLength: length,
      isPlain: false,
      message: undefined,
      decodeMs: 0,
    }
  }

  /** Also of a task that nobody waits for: what it names has to arrive. */
  #decode(outcome: OutcomeToBe, bytes: Uint8Array): void {
    const { status } = outcome.head
    if (status !== STATUS.value && status !== STATUS.error && status !== STATUS.initializerError) {
      return
    }
    const payload = bytes.subarray(RESULT_HEAD, outcome.byteLength)
    if (outcome.task?.options.raw === true) {
      outcome.value = ownCopy(payload, payload.length)
      return
    }
    const before = payload.length < TIMED_BYTES ? 0 : this.#core.now()
    try {
      if (needsModules(payload, payload.length)) this.#decodeWithModules(payload, outcome)
      else outcome.value = loads(payload)
    } catch (error) {
      outcome.isValue = false
      outcome.value = error
    }
    if (before !== 0) outcome.decodeMs = this.#core.now() - before
  }

  /** One module may have a top-level await: then the value comes later. */
  #decodeWithModules(payload: Uint8Array, outcome: OutcomeToBe): void {
    // What arrives the first time must be there the second time.
    const arrived: unknown[] = []
    try {
      outcome.value = collectRevived(arrived, () => loads(payload))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error
      outcome.later = loadsAsync(ownCopy(payload, payload.length)).finally(
        () => (arrived.length = 0),
      )
    }
  }
}

/** Decoding shorter results takes less than a microsecond; looking at the clock would be a good part of it. */
const TIMED_BYTES = 256

type OutcomeToBe = { -readonly [K in keyof Outcome]: Outcome[K] }
