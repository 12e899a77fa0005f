/**
 * The base of every handle that travels: `Lock`, `Queue`, `Connection`, …
 *
 * A handle is an index and a generation in the session's directory. Sent to
 * another agent it arrives as the same shared object; within one agent there is
 * one JavaScript object for each shared one, so that its queue of asynchronous
 * waiters is one.
 *
 * This agent holds the shared object while the JavaScript one can be reached and
 * was not closed. `lifetime.ts` has what agents agree on.
 *
 * @module
 */
import type { Copy } from './copies.js'
import { MultiprocessingError } from './errors.js'
import type { ObjectHandle, ObjectShape } from './directory.js'
import { isKept, isTracked, noteInFlight, noteRevived, throughIndex } from './in-flight.js'
import { HEADER } from './layout.js'
import type { Lifetime } from './lifetime.js'
import { type Session, session } from './session.js'

/** The serializer's hooks, by name: this package does not depend on it. */
export const reduceSymbol: unique symbol = Symbol.for('@mp/pickle.reduce') as never
export const reviveSymbol: unique symbol = Symbol.for('@mp/pickle.revive') as never

/** How the serializer takes a handle apart: the module and export that revive it, and with what. */
export interface Reduced {
  readonly module: string
  readonly name: string
  readonly args: readonly unknown[]
}

/** Passed to a handle's constructor in place of its arguments to open what exists. */
export class Attachment {
  readonly index: number
  readonly generation: number
  /** What the handle's `extra()` gave on the sender's side. */
  readonly extra: unknown

  constructor(index: number, generation: number, extra: unknown) {
    this.index = index
    this.generation = generation
    this.extra = extra
  }
}

/** Where a handle class can be imported from. */
export interface Origin {
  /** URL of the module that exports it, as its package has it: see `origin.ts`. */
  readonly module: string
  /** The name of its export. */
  readonly name: string
}

type HandleClass = new (attachment: Attachment) => SharedObject

/** One reason for this agent to hold an object. */
interface Hold {
  readonly lifetime: Lifetime
  readonly index: number
  isOver: boolean
}

/** The JavaScript objects of this thread that a copy may come back to, by index. */
const opened = new Map<number, { generation: number; ref: WeakRef<SharedObject> }>()

const forgotten = new FinalizationRegistry<Hold>(endHold)

function endHold(hold: Hold): void {
  if (hold.isOver) return
  hold.isOver = true
  if (hold.lifetime.forget(hold.index)) opened.delete(hold.index)
}

/** Before its time; without a turn of the event loop what is registered would pile up. */
function endNow(hold: Hold): void {
  forgotten.unregister(hold)
  endHold(hold)
}

export abstract class SharedObject {
  /** @internal */
  readonly session: Session
  /** @internal */
  readonly handle: ObjectHandle
  readonly #hold: Hold
  readonly #words: number
  #isClosed = false

  /** Makes a new shared object, or opens the one that an attachment names. */
  protected constructor(
    attachment: Attachment | undefined,
    shape: ObjectShape,
    init: (words: Int32Array, base: number) => void,
  ) {
    this.session = session()
    const { directory, words, lifetime } = this.session
    this.handle =
      attachment === undefined
        ? directory.create(shape, (base) => init(words, base))
        : directory.open(shape.type, attachment.index, attachment.generation)
    this.#words = shape.words
    this.#hold = { lifetime, index: this.handle.index, isOver: false }
    forgotten.register(this, this.#hold, this.#hold)
    if (attachment !== undefined) this.#remember()
  }

  /**
   * Says that this thread is done with it: using it here throws `ERR_MP_CLOSED` from now on.
   *
   * Others are not affected. The memory is given back when nobody uses it any more; without this
   * call that is when it can no longer be reached, and was collected. Closing twice is fine.
   */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const { index, generation, base } = this.handle
    if (opened.get(index)?.generation === generation) opened.delete(index)
    // While somebody waits here for it, its words are needed: then it goes as if it had not been closed.
    if (!this.session.waiting.isAwaited(base, base + this.#words)) endNow(this.#hold)
  }

  /** As `close`. */
  [Symbol.dispose](): void {
    this.close()
  }

  /**
   * This agent holds the object at least as long as `keeper` can be reached.
   *
   * @returns what ends that before.
   * @internal
   */
  protected keepWhile(keeper: object): () => void {
    const { lifetime } = this.session
    const hold = { lifetime, index: this.handle.index, isOver: false }
    lifetime.keep(hold.index)
    forgotten.register(keeper, hold, hold)
    return () => endNow(hold)
  }

  /** Gives what works on the object's words; throws once it was closed: they may be another's by then. @internal */
  protected use<T>(core: T): T {
    if (this.#isClosed) throw closed()
    return core
  }

  /** @internal */
  protected abstract origin(): Origin

  /** What travels beside the handle; read back from `attachment.extra`. @internal */
  protected extra(): unknown {
    return undefined
  }

  /** Takes the handle apart for the serializer; a copy of it leaves with the message. @internal */
  reduceHandle(): Reduced {
    const { lifetime, words } = this.use(this.session)
    const { index, generation } = this.handle
    const id = Atomics.load(words, HEADER.id)
    const extra = this.extra()
    const copy = lifetime.depart(index, isTracked())
    noteInFlight({
      recall: (isLost) => lifetime.recall(copy, index, isLost),
      give: (through) => {
        lifetime.give(copy, throughIndex(through))
        return undefined
      },
      copy: { ...copy, object: index },
    })
    this.#remember()
    const args = [id, index, generation, extra]
    return { ...this.origin(), args: isKept() ? args : [...args, copy.place, copy.use] }
  }

  /** A copy may come back to this object. */
  #remember(): void {
    const { index, generation } = this.handle
    if (opened.get(index)?.ref.deref() === this) return
    opened.set(index, { generation, ref: new WeakRef(this) })
  }
}

/** Finds or makes the JavaScript object of this thread for a handle that arrived. */
function reviveHandle(
  this: HandleClass,
  id: number,
  index: number,
  generation: number,
  extra: unknown,
  place?: number,
  use?: number,
): SharedObject {
  const { lifetime, words } = session()
  if (id !== Atomics.load(words, HEADER.id)) {
    throw new MultiprocessingError(
      'ERR_MP_STALE_HANDLE',
      'This handle belongs to another session; only processes of one tree share objects',
    )
  }
  const known = opened.get(index)
  const object =
    (known?.generation === generation ? known.ref.deref() : undefined) ??
    new this(new Attachment(index, generation, extra))
  // A message that is kept names no copies.
  if (place !== undefined) lifetime.arrive({ place, use } as Copy, index)
  noteRevived(object)
  return object
}

function closed(): MultiprocessingError {
  return new MultiprocessingError('ERR_MP_CLOSED', 'This thread has closed the shared object')
}

Object.defineProperty(SharedObject.prototype, reduceSymbol, {
  value(this: SharedObject): Reduced {
    return this.reduceHandle()
  },
})
Object.defineProperty(SharedObject, reviveSymbol, { value: reviveHandle })
