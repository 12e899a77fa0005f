/**
 * The functions of a pool's tasks, on both sides.
 *
 * The pool encodes a function, puts it into shared memory once, and tasks point
 * to it. A worker decodes it when it first meets it.
 *
 * @module
 */
import { loadsAsync } from '@mp/pickle'
import { OutOfSharedMemoryError, type Session, pagesFor } from '@mp/shared-memory/internal'
import { type EncodedFunction, KnownFunctions } from './known-functions.js'
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
  readonly #known = new KnownFunctions<SentFunction>()
  #nextId = 1

  constructor(session: Session) {
    this.#session = session
  }

  /**
   * Puts a function where workers can find it, for one task more.
   *
   * @throws PicklingError when it cannot be sent.
   */
  use(fn: AnyFunction): SentFunction {
    const sent = this.#known.get(fn, (encoded) => this.#put(encoded))
    sent.uses++
    return sent
  }

  /** The same for one that somebody else has encoded, who keeps what it refers to until the task is over. */
  useEncoded(name: string, bytes: Uint8Array): SentFunction {
    const sent = this.#put({ name, bytes, hasCopies: false, cancel: () => {} })
    sent.uses++
    return sent
  }

  #put(encoded: EncodedFunction): SentFunction {
    const { bytes } = encoded
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const known = this.#byContent.get(key)
    if (known === undefined) return this.#add(key, encoded)
    encoded.cancel()
    return known
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

  #add(key: string, { name, bytes, hasCopies, cancel }: EncodedFunction): SentFunction {
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
      name,
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
