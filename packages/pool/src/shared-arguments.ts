/**
 * Arguments that many tasks have in common: encoded once, decoded once by each worker.
 *
 * `share()` puts a value into shared memory. Where the same object is an argument of a task, the task names it.
 *
 * @module
 */
import { dumps, loads } from '@mp/pickle'
import {
  OutOfSharedMemoryError,
  type Reduced,
  type Session,
  type Tracked,
  keepInFlight,
  pagesFor,
  reduceSymbol,
  session,
} from '@mp/shared-memory/internal'
import { HIRED } from './origin.js'

/** Takes the place of a shared argument in a message; arrives as the argument. */
class SharedArgument {
  readonly #args: readonly unknown[]

  constructor(args: readonly unknown[]) {
    this.#args = args
  }

  [reduceSymbol](): Reduced {
    return { module: HIRED, name: 'reviveSharedArgument', args: this.#args }
  }
}

interface Shared {
  readonly argument: SharedArgument
  readonly page: number
  readonly byteLength: number
  readonly encoded: Tracked<Uint8Array>
}

/** Tells the shared arguments of a thread apart. */
let nextId = 1

export class SharedArguments {
  readonly #session: Session
  readonly #known = new WeakMap<object, Shared>()
  readonly #all = new Set<Shared>()

  constructor(own: Session) {
    this.#session = own
  }

  share(value: object): void {
    this.unshare(value)
    const encoded = keepInFlight(() => dumps(value))
    const bytes = encoded.result
    const { pages } = this.#session
    const page = pages.arena.take(pagesFor(bytes.byteLength))
    if (page < 0) {
      encoded.cancel()
      throw new OutOfSharedMemoryError(
        'The session has no room for the argument; raise MP_MEMORY_LIMIT',
      )
    }
    pages.bytes(page, bytes.byteLength).set(bytes)
    const argument = new SharedArgument([
      `${this.#session.agent.tag}:${nextId++}`,
      page,
      bytes.byteLength,
    ])
    const shared = { argument, page, byteLength: bytes.byteLength, encoded }
    this.#known.set(value, shared)
    this.#all.add(shared)
  }

  unshare(value: object): void {
    const shared = this.#known.get(value)
    // Tasks that name it may be on their way: its memory goes with the pool.
    if (shared !== undefined) this.#known.delete(value)
  }

  /** The arguments of a task, with those that are shared replaced. */
  replace(args: readonly unknown[]): readonly unknown[] {
    if (this.#all.size === 0 || !args.some((arg) => this.#get(arg) !== undefined)) return args
    return args.map((arg) => this.#get(arg)?.argument ?? arg)
  }

  /** The same for the items of a `map`, or the arguments in those of a `starmap`. */
  replaceIn(items: readonly unknown[], isStar: boolean): readonly unknown[] {
    if (this.#all.size === 0) return items
    return isStar ? items.map((row) => this.replace(row as unknown[])) : this.replace(items)
  }

  /** Frees everything; the workers have ended. */
  clear(): void {
    for (const { page, byteLength, encoded } of this.#all) {
      encoded.cancel()
      this.#session.pages.arena.free(page, pagesFor(byteLength))
    }
    this.#all.clear()
  }

  #get(value: unknown): Shared | undefined {
    return typeof value === 'object' && value !== null ? this.#known.get(value) : undefined
  }
}

const arrived = new Map<string, unknown>()

/**
 * What a worker makes of a shared argument: the same value for all tasks.
 *
 * @public Found by its name.
 */
export function reviveSharedArgument(id: string, page: number, byteLength: number): unknown {
  if (!arrived.has(id)) {
    arrived.set(id, loads(session().pages.bytes(page, byteLength).slice()))
  }
  return arrived.get(id)
}
