/**
 * The base of the shared objects that end by themselves: arrays, values, lists.
 *
 * Here is this agent's part: it holds the object while any of the JavaScript
 * objects that keep it can be reached. `shared-lifetime.ts` has what agents agree on.
 *
 * @module
 */
import type { ObjectShape } from './directory.js'
import { OutOfSharedMemoryError } from './errors.js'
import { noteInFlight } from './in-flight.js'
import { OBJECT_OWNER, PAGE_BYTES } from './layout.js'
import { pagesFor } from './pages.js'
import type { Session } from './session.js'
import { arrive, depart, join, letGo, recall } from './shared-lifetime.js'
import { OWNED } from './shared-layout.js'
import { type Attachment, SharedObject, reviveSymbol } from './shared-object.js'

interface Hold {
  readonly session: Session
  readonly index: number
  readonly base: number
}

/** How many keepers of this thread each object has, by its index. An object that has one cannot end. */
const keepers = new Map<number, number>()

const forgotten = new FinalizationRegistry<Hold>(release)

function release({ session, index, base }: Hold): void {
  const left = (keepers.get(index) ?? 0) - 1
  if (left > 0) {
    keepers.set(index, left)
    return
  }
  keepers.delete(index)
  letGo(session, base)
}

export abstract class OwnedObject extends SharedObject {
  protected constructor(
    attachment: Attachment | undefined,
    shape: ObjectShape,
    init: (words: Int32Array, base: number) => void,
  ) {
    super(attachment, shape, init)
    if (attachment !== undefined) join(this.session.words, this.handle)
  }

  /** This agent holds the object at least as long as `keeper` can be reached. */
  protected keepWhile(keeper: object): void {
    const { index, base } = this.handle
    keepers.set(index, (keepers.get(index) ?? 0) + 1)
    forgotten.register(keeper, { session: this.session, index, base })
  }

  /**
   * Takes data pages for an object that is just being made; ends it when there is no room.
   *
   * @param what names it in the error: "an Int32Array of 5 elements".
   * @returns the first page.
   */
  protected takePages(byteLength: number, what: string): number {
    const { session, handle } = this
    const { arena, count: total } = session.pages
    const count = pagesFor(byteLength)
    const first = count > total ? -1 : arena.take(count)
    if (first < 0) {
      this.endUnborn()
      throw new OutOfSharedMemoryError(
        `There is no room for ${what}: it takes ${count * PAGE_BYTES} bytes in one piece, and the session's ` +
          `${total * PAGE_BYTES} bytes have none that is free; raise MP_MEMORY_LIMIT`,
      )
    }
    // CRASH: pages not given yet carry our tag, given ones the object's mark: the reaper frees both.
    Atomics.store(session.words, handle.base + OWNED.page, first)
    Atomics.store(session.words, handle.base + OWNED.pages, count)
    arena.give(first, count, OBJECT_OWNER | handle.index)
    return first
  }

  /** Ends an object whose making has failed: nobody knows it. */
  protected endUnborn(): void {
    letGo(this.session, this.handle.base)
  }

  /** A copy leaves with the message that is being encoded. @internal */
  protected override extra(): unknown {
    const { words } = this.session
    const { base } = this.handle
    depart(words, base)
    // The note keeps `this`, so the words are still the object's when it is called off.
    noteInFlight(() => recall(words, this.handle.base))
    return undefined
  }

  /** The copy of a message has become this object. @internal */
  land(): this {
    arrive(this.session.words, this.handle.base)
    return this
  }
}

type Revive = (this: unknown, ...args: unknown[]) => OwnedObject

const { [reviveSymbol]: revive } = SharedObject as unknown as { [reviveSymbol]: Revive }

Object.defineProperty(OwnedObject, reviveSymbol, {
  value(this: unknown, ...args: unknown[]): OwnedObject {
    return revive.apply(this, args).land()
  },
})
