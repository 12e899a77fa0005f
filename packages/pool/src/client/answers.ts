/**
 * What a pool answers to its clients: a head, then what the worker has encoded, as it is.
 *
 * @module
 */
import { loads, loadsAsync, needsModules } from '@mp/pickle'
import { LeasedBytes, PENDING, ownCopy } from '@mp/shared-memory/internal'
import type { Task } from '../task.js'
import type { PoolLine } from './line.js'

/**
 * Number of the task, 1 for a value or 0 for an error, and how long it ran. What follows stays as the serializer has
 * aligned it.
 */
const HEAD = 16

interface AnswerHead {
  readonly id: number
  readonly isValue: boolean
  readonly runMs: number
}

export function composeAnswer(answer: AnswerHead, encoded: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEAD + encoded.length)
  const head = new DataView(message.buffer)
  head.setUint32(0, answer.id)
  head.setUint32(4, answer.isValue ? 1 : 0)
  head.setFloat64(8, answer.runMs)
  message.set(encoded, HEAD)
  return message
}

/** Called for each answer, also of a task that nobody waits for any more. */
export type Answered = (task: Task | undefined, isValue: boolean, value: unknown) => void

export class Answers {
  /** How many tasks want their result by lease. */
  leases = 0
  readonly #line: PoolLine
  readonly #taskOf: (id: number) => Task | undefined
  readonly #answered: Answered

  constructor(line: PoolLine, taskOf: (id: number) => Task | undefined, answered: Answered) {
    this.#line = line
    this.#taskOf = taskOf
    this.#answered = answered
  }

  /**
   * Takes the next answer; false when there is none.
   *
   * @param isBlocked whether this thread cannot wait for modules.
   */
  take(isBlocked: boolean): boolean {
    const { ring, session } = this.#line
    if (this.leases === 0) {
      const read = (bytes: Uint8Array, length: number): true => {
        this.#read(bytes.subarray(0, length), isBlocked)
        return true
      }
      return ring.tryRead(read) !== PENDING
    }
    const taken = ring.tryClaim()
    if (taken === null) return false
    const leased = new LeasedBytes(session, taken.inPlace())
    let task: Task | undefined
    let isOther = false
    try {
      const lease = leased.decode((bytes, place) => {
        const { id, isValue, runMs } = headOf(bytes)
        task = this.#taskOf(id)
        task?.receiver.timed?.(runMs)
        if (!isValue || task?.options.lease !== true) {
          isOther = true
          this.#read(bytes, isBlocked)
          return undefined
        }
        // Where it lies is counted from the start of the message.
        return loads(bytes.subarray(HEAD), {
          place: (start, byteLength) => place(start + HEAD, byteLength),
        })
      })
      if (isOther) lease.release()
      else this.#answered(task, true, lease)
    } catch (error) {
      this.#answered(task, false, error)
    }
    return true
  }

  #read(message: Uint8Array, isBlocked: boolean): void {
    const { id, isValue, runMs } = headOf(message)
    const task = this.#taskOf(id)
    task?.receiver.timed?.(runMs)
    const encoded = message.subarray(HEAD)
    try {
      if (isBlocked || !needsModules(encoded, encoded.length)) {
        // Also of a task that nobody waits for: what it names has to arrive.
        return this.#answered(task, isValue, loads(encoded))
      }
      void loadsAsync(ownCopy(encoded, encoded.length)).then(
        (value) => this.#answered(task, isValue, value),
        (error: unknown) => this.#answered(task, false, error),
      )
    } catch (error) {
      this.#answered(task, false, error)
    }
  }
}

function headOf(message: Uint8Array): AnswerHead {
  const head = new DataView(message.buffer, message.byteOffset, HEAD)
  return { id: head.getUint32(0), isValue: head.getUint32(4) === 1, runMs: head.getFloat64(8) }
}
