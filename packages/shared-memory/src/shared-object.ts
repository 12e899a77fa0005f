/**
 * The base of every handle that travels: `Lock`, `Queue`, `Connection`, …
 *
 * A handle is an index and a generation in the session's directory. Sent to
 * another agent it arrives as the same shared object; within one agent there is
 * one JavaScript object for each shared one, so that its queue of asynchronous
 * waiters is one.
 *
 * @module
 */
import { MultiprocessingError } from './errors.js'
import type { ObjectHandle, ObjectShape } from './directory.js'
import { HEADER } from './layout.js'
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
  /** `import.meta.url` of the module that exports it. */
  readonly module: string
  /** The name of its export. */
  readonly name: string
}

type HandleClass = new (attachment: Attachment) => SharedObject

const opened = new Map<number, { generation: number; ref: WeakRef<SharedObject> }>()

export abstract class SharedObject {
  /** @internal */
  readonly session: Session
  /** @internal */
  readonly handle: ObjectHandle

  /** Makes a new shared object, or opens the one that an attachment names. */
  protected constructor(
    attachment: Attachment | undefined,
    shape: ObjectShape,
    init: (words: Int32Array, base: number) => void,
  ) {
    this.session = session()
    const { directory, words } = this.session
    this.handle =
      attachment === undefined
        ? directory.create(shape, (base) => init(words, base))
        : directory.open(shape.type, attachment.index, attachment.generation)
    const { index, generation } = this.handle
    opened.set(index, { generation, ref: new WeakRef(this) })
  }

  /** @internal */
  protected abstract origin(): Origin

  /** What travels beside the handle; read back from `attachment.extra`. @internal */
  protected extra(): unknown {
    return undefined
  }

  /** Takes the handle apart for the serializer. @internal */
  reduceHandle(): Reduced {
    const { index, generation } = this.handle
    const id = Atomics.load(this.session.words, HEADER.id)
    return { ...this.origin(), args: [id, index, generation, this.extra()] }
  }
}

/** Finds or makes the JavaScript object of this thread for a handle that arrived. */
function reviveHandle(
  this: HandleClass,
  id: number,
  index: number,
  generation: number,
  extra: unknown,
): SharedObject {
  if (id !== Atomics.load(session().words, HEADER.id)) {
    throw new MultiprocessingError(
      'ERR_MP_STALE_HANDLE',
      'This handle belongs to another session; only processes of one tree share objects',
    )
  }
  const known = opened.get(index)
  const object = known?.generation === generation ? known.ref.deref() : undefined
  return object ?? new this(new Attachment(index, generation, extra))
}

Object.defineProperty(SharedObject.prototype, reduceSymbol, {
  value(this: SharedObject): Reduced {
    return this.reduceHandle()
  },
})
Object.defineProperty(SharedObject, reviveSymbol, { value: reviveHandle })
