/**
 * The functions of a pool's tasks, on both sides.
 *
 * The pool encodes a function, puts it into shared memory once, and tasks point
 * to it. A worker decodes it when it first meets it.
 *
 * @module
 */
import { dumps, loadsAsync } from '@mp/pickle'
import {
  OutOfSharedMemoryError,
  type Session,
  keepInFlight,
  pagesFor,
} from '@mp/shared-memory/internal'
import type { FunctionReference } from './messages.js'

/** Functions without tasks that are kept for the next ones. */
const KEPT = 64

interface Entry {
  readonly reference: FunctionReference
  readonly key: string
  /** Whether it refers to shared objects, which it keeps. */
  readonly hasCopies: boolean
  readonly cancel: () => void
  uses: number
}

/** The pool's side. */
export class SentFunctions {
  readonly #session: Session
  readonly #byContent = new Map<string, Entry>()
  readonly #byId = new Map<number, Entry>()
  #nextId = 1

  constructor(session: Session) {
    this.#session = session
  }

  /**
   * Puts a function where workers can find it, for one task more.
   *
   * It is encoded anew each time: what it captures may have changed.
   *
   * @throws PicklingError when it cannot be sent.
   */
  use(fn: unknown): FunctionReference {
    // Each worker decodes it: its copies arrive nowhere, and are there until it is freed.
    const { result: bytes, hasCopies, cancel } = keepInFlight(() => dumps(fn))
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const known = this.#byContent.get(key)
    if (known !== undefined) cancel()
    const entry = known ?? this.#add(key, bytes, hasCopies, cancel)
    entry.uses++
    return entry.reference
  }

  /** One more task with a function that is in use already. */
  again(reference: FunctionReference): void {
    const entry = this.#byId.get(reference.id)
    if (entry !== undefined) entry.uses++
  }

  /** A task is over. */
  release(reference: FunctionReference): void {
    const entry = this.#byId.get(reference.id)
    if (entry === undefined || --entry.uses > 0) return
    if (entry.hasCopies) return this.#free(entry)
    // Last in line of those without tasks.
    this.#byContent.delete(entry.key)
    this.#byContent.set(entry.key, entry)
    if (this.#byContent.size > KEPT) this.#dropOldest()
  }

  /** Frees everything; the workers have ended. */
  clear(): void {
    for (const entry of this.#byContent.values()) this.#free(entry)
  }

  #add(key: string, bytes: Uint8Array, hasCopies: boolean, cancel: () => void): Entry {
    const { pages } = this.#session
    const page = pages.arena.take(pagesFor(bytes.byteLength))
    if (page < 0) {
      cancel()
      throw new OutOfSharedMemoryError(
        'The session has no room for the function; raise MP_MEMORY_LIMIT',
      )
    }
    pages.bytes(page, bytes.byteLength).set(bytes)
    const reference = { id: this.#nextId++, page, byteLength: bytes.byteLength }
    const entry = { reference, key, hasCopies, cancel, uses: 0 }
    this.#byContent.set(key, entry)
    this.#byId.set(reference.id, entry)
    return entry
  }

  #dropOldest(): void {
    for (const entry of this.#byContent.values()) {
      if (entry.uses > 0) continue
      this.#free(entry)
      return
    }
  }

  #free({ key, reference, cancel }: Entry): void {
    cancel()
    this.#byContent.delete(key)
    this.#byId.delete(reference.id)
    this.#session.pages.arena.free(reference.page, pagesFor(reference.byteLength))
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
    const bytes = this.#session.pages.bytes(page, byteLength).slice()
    const fn = (await loadsAsync(bytes)) as (...args: unknown[]) => unknown
    if (this.#known.size >= KEPT) this.#known.delete(this.#known.keys().next().value as number)
    this.#known.set(id, fn)
    return fn
  }
}
