/**
 * The functions of a pool's tasks, on both sides.
 *
 * The pool encodes a function, puts it into shared memory once, and tasks point
 * to it. A worker decodes it when it first meets it.
 *
 * @module
 */
import { dumps, isConstant, loadsAsync } from '@mp/pickle'
import {
  OutOfSharedMemoryError,
  type Session,
  keepInFlight,
  pagesFor,
} from '@mp/shared-memory/internal'
import type { FunctionReference } from './messages.js'

/** Functions without tasks that are kept for the next ones. */
const KEPT = 64

type AnyFunction = (...args: never[]) => unknown

/** A function that lies where workers find it. */
export interface SentFunction {
  readonly reference: FunctionReference
  readonly name: string
  readonly key: string
  /** Whether it refers to shared objects, which it keeps. */
  readonly hasCopies: boolean
  readonly cancel: () => void
  uses: number
  isFreed: boolean
}

/** The pool's side. */
export class SentFunctions {
  readonly #session: Session
  readonly #byContent = new Map<string, SentFunction>()
  /** Functions that are the same bytes each time. */
  readonly #constants = new WeakMap<AnyFunction, SentFunction>()
  #nextId = 1

  constructor(session: Session) {
    this.#session = session
  }

  /**
   * Puts a function where workers can find it, for one task more.
   *
   * It is encoded anew each time unless it is constant: what it captures may have changed.
   *
   * @throws PicklingError when it cannot be sent.
   */
  use(fn: AnyFunction): SentFunction {
    const constant = this.#constants.get(fn)
    if (constant !== undefined && !constant.isFreed) {
      constant.uses++
      return constant
    }
    // Each worker decodes it: its copies arrive nowhere, and are there until it is freed.
    const { result: bytes, hasCopies, cancel } = keepInFlight(() => dumps(fn))
    const entry = this.#put(fn.name, bytes, hasCopies, cancel)
    if (!hasCopies && isConstant(fn)) this.#constants.set(fn, entry)
    return entry
  }

  /** The same for one that somebody else has encoded, who keeps what it refers to until the task is over. */
  useEncoded(name: string, bytes: Uint8Array): SentFunction {
    return this.#put(name, bytes, false, () => {})
  }

  #put(name: unknown, bytes: Uint8Array, hasCopies: boolean, cancel: () => void): SentFunction {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const known = this.#byContent.get(key)
    if (known !== undefined) cancel()
    const entry = known ?? this.#add(name, key, bytes, hasCopies, cancel)
    entry.uses++
    return entry
  }

  /** A task is over. */
  release(entry: SentFunction): void {
    if (--entry.uses > 0) return
    if (entry.hasCopies) return this.#free(entry)
    if (this.#byContent.size <= KEPT) return
    // Last in line of those without tasks.
    this.#byContent.delete(entry.key)
    this.#byContent.set(entry.key, entry)
    this.#dropOldest()
  }

  /** Frees everything; the workers have ended. */
  clear(): void {
    for (const entry of this.#byContent.values()) this.#free(entry)
  }

  #add(
    name: unknown,
    key: string,
    bytes: Uint8Array,
    hasCopies: boolean,
    cancel: () => void,
  ): SentFunction {
    const { pages } = this.#session
    const page = pages.arena.take(pagesFor(bytes.byteLength))
    if (page < 0) {
      cancel()
      throw new OutOfSharedMemoryError(
        'The session has no room for the function; raise MP_MEMORY_LIMIT',
      )
    }
    pages.write(page, bytes)
    const entry = {
      reference: { id: this.#nextId++, page, byteLength: bytes.byteLength },
      // A class may have a static member of that name.
      name: typeof name === 'string' ? name : '',
      key,
      hasCopies,
      cancel,
      uses: 0,
      isFreed: false,
    }
    this.#byContent.set(key, entry)
    return entry
  }

  #dropOldest(): void {
    for (const entry of this.#byContent.values()) {
      if (entry.uses > 0) continue
      this.#free(entry)
      return
    }
  }

  #free(entry: SentFunction): void {
    entry.isFreed = true
    entry.cancel()
    this.#byContent.delete(entry.key)
    this.#session.pages.arena.free(entry.reference.page, pagesFor(entry.reference.byteLength))
  }
}

/** The worker's side. */
export class ReceivedFunctions {
  readonly #session: Session
  readonly #known = new Map<number, (...args: unknown[]) => unknown>()

  constructor(session: Session) {
    this.#session = session
  }

  /** The function if it has been met before. */
  get(reference: FunctionReference): ((...args: unknown[]) => unknown) | undefined {
    return this.#known.get(reference.id)
  }

  async load(reference: FunctionReference): Promise<(...args: unknown[]) => unknown> {
    const { page, byteLength, id } = reference
    const fn = (await loadsAsync(this.#session.pages.copy(page, byteLength))) as (
      ...args: unknown[]
    ) => unknown
    if (this.#known.size >= KEPT) this.#known.delete(this.#known.keys().next().value as number)
    this.#known.set(id, fn)
    return fn
  }
}
